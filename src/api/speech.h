/*
 * /v1/audio/speech: text to speech.
 */

#ifndef VM_SPEECH_H
#define VM_SPEECH_H


#include "generation.h"


#define VM_SPEECH_CHARS    15           /* of text that a second speaks */
#define VM_SPEECH_RATE     25           /* tokens of a second of sound */
#define VM_SPEECH_SECONDS  300          /* at most */


extern const vm_protocol_t  vm_speech;

/* The list that GET /v1/audio/voices answers. */
void vm_speech_voices(vm_buf_t *out);


#endif /* VM_SPEECH_H */
