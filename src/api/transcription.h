/*
 * /v1/audio/transcriptions and /v1/audio/translations: speech to text.
 */

#ifndef VM_TRANSCRIPTION_H
#define VM_TRANSCRIPTION_H


#include "generation.h"


#define VM_AUDIO_FILE        25         /* MB of a file at most */
#define VM_AUDIO_SECONDS     600        /* of audio at most */
#define VM_AUDIO_CHUNK       30         /* seconds: a request to the engine */
#define VM_AUDIO_BYTE_RATE   16000      /* bytes a second, of what is no WAV */
#define VM_AUDIO_TOKENS      50         /* of a second of a prompt */
#define VM_SPEECH_TOKENS     3          /* of a second of text */


extern const vm_protocol_t  vm_transcription, vm_translation;


#endif /* VM_TRANSCRIPTION_H */
