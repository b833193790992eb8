/*
 * WAV files: how long one is; and tones, which is what speech sounds like
 * here.
 */

#ifndef VM_WAV_H
#define VM_WAV_H


#include "../base/buf.h"


#define VM_WAV_RATE    24000            /* samples a second of what is made */
#define VM_WAV_HEADER  44               /* bytes */


/*
 * Seconds of a RIFF/WAVE file, by its header and the data there is; VM_ERROR:
 * it is broken.  VM_DECLINED: it is no WAV at all.
 */
int vm_wav_seconds(const char *data, size_t len, double *seconds);

/* The header of 16-bit mono samples. */
void vm_wav_header(vm_buf_t *out, uint32_t samples);

/*
 * Samples from .. to - 1 of a voice that says something: syllables of 1/5 s,
 * each a note of its own, which follow from the key.
 */
void vm_wav_voice(vm_buf_t *out, uint64_t key, uint32_t from, uint32_t to);


#endif /* VM_WAV_H */
