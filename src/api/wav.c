/*
 * WAV files.
 */

#include <math.h>
#include "wav.h"
#include "../base/rand.h"


#define VM_WAV_SYLLABLE   (VM_WAV_RATE / 5)     /* samples */
#define VM_WAV_FADE       (VM_WAV_RATE / 50)
#define VM_WAV_LOWEST     110.0                 /* Hz */
#define VM_WAV_LOUDNESS   8000.0
#define VM_WAV_TABLE      256                   /* points of a wave */


static uint32_t
vm_wav_le(const char *p, unsigned bytes)
{
    uint32_t  v;
    unsigned  i;

    for (v = 0, i = 0; i < bytes; i++) {
        v |= (uint32_t) (unsigned char) p[i] << (8 * i);
    }

    return v;
}


int
vm_wav_seconds(const char *data, size_t len, double *seconds)
{
    size_t    at, left;
    uint32_t  rate, size;

    if (len < 12 || memcmp(data, "RIFF", 4) != 0
        || memcmp(data + 8, "WAVE", 4) != 0)
    {
        return VM_DECLINED;
    }

    rate = 0;

    for (at = 12; len - at >= 8; at += size + (size & 1)) {
        size = vm_wav_le(data + at + 4, 4);
        at += 8;
        left = len - at;

        if (memcmp(data + at - 8, "fmt ", 4) == 0) {
            if (size < 16 || left < 16) {
                return VM_ERROR;
            }

            rate = vm_wav_le(data + at + 8, 4);         /* bytes a second */

        } else if (memcmp(data + at - 8, "data", 4) == 0) {
            if (rate == 0) {
                return VM_ERROR;
            }

            /* a length that was not known when the header was written */

            *seconds = (double) vm_min(size, left) / rate;
            return VM_OK;
        }

        if (left <= (size_t) size + (size & 1)) {
            break;
        }
    }

    return VM_ERROR;
}


static void
vm_wav_put(char **p, uint32_t v, unsigned bytes)
{
    while (bytes--) {
        *(*p)++ = (char) (v & 0xff);
        v >>= 8;
    }
}


void
vm_wav_header(vm_buf_t *out, uint32_t samples)
{
    char  h[VM_WAV_HEADER], *p;

    p = h;

    memcpy(p, "RIFF", 4);
    p += 4;
    vm_wav_put(&p, VM_WAV_HEADER - 8 + 2 * samples, 4);
    memcpy(p, "WAVEfmt ", 8);
    p += 8;
    vm_wav_put(&p, 16, 4);
    vm_wav_put(&p, 1, 2);                       /* PCM */
    vm_wav_put(&p, 1, 2);                       /* mono */
    vm_wav_put(&p, VM_WAV_RATE, 4);
    vm_wav_put(&p, 2 * VM_WAV_RATE, 4);
    vm_wav_put(&p, 2, 2);
    vm_wav_put(&p, 16, 2);
    memcpy(p, "data", 4);
    p += 4;
    vm_wav_put(&p, 2 * samples, 4);

    vm_buf_add(out, h, sizeof(h));
}


/* How loud a sample is: each syllable swells and fades. */

static int32_t
vm_wav_swell(uint32_t at)
{
    uint32_t  edge;

    edge = vm_min(at, VM_WAV_SYLLABLE - at);

    return (int32_t) vm_min(edge, VM_WAV_FADE);
}


void
vm_wav_voice(vm_buf_t *out, uint64_t key, uint32_t from, uint32_t to)
{
    char      *p;
    double     hz;
    int16_t    wave[VM_WAV_TABLE];
    int32_t    v;
    uint32_t   at, i, phase, step, syllable;

    if (from >= to
        || vm_buf_reserve(out, 2 * (size_t) (to - from)) != VM_OK)
    {
        return;
    }

    for (i = 0; i < VM_WAV_TABLE; i++) {
        wave[i] = (int16_t) lrint(VM_WAV_LOUDNESS
                                  * sin(2 * M_PI * i / VM_WAV_TABLE));
    }

    p = out->data + out->len;
    step = 0;
    syllable = VM_NEVER;

    for (i = from; i < to; i++) {
        at = i % VM_WAV_SYLLABLE;

        if (i / VM_WAV_SYLLABLE != syllable) {
            syllable = i / VM_WAV_SYLLABLE;

            /* a fifth and a bit, in half tones */

            hz = VM_WAV_LOWEST * exp2((double) (vm_rand_at(key, syllable) % 9)
                                      / 12);
            step = (uint32_t) (hz / VM_WAV_RATE * 4294967296.0);
        }

        phase = step * at;
        v = wave[phase >> 24] * vm_wav_swell(at) / VM_WAV_FADE;
        vm_wav_put(&p, (uint32_t) v, 2);
    }

    out->len = (size_t) (p - out->data);
}
