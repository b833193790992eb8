/*
 * A picture or a voice instead of a message's text.
 */

#include "image.h"
#include "modalities.h"
#include "png.h"
#include "wav.h"
#include "../base/rand.h"


#define VM_MODAL_SIDE     512       /* pixels, unless `size` says otherwise */
#define VM_MODAL_CHARS    15        /* that are said in a second */
#define VM_MODAL_SECONDS  60        /* of a voice, at most */
#define VM_MODAL_KEPT     3600      /* seconds that OpenAI keeps a voice */


static int
vm_modalities_has(const json_t *list, const char *what)
{
    size_t       i;
    json_t      *item;
    const char  *s;

    json_array_foreach(list, i, item) {
        s = json_string_value(item);

        if (s && strcmp(s, what) == 0) {
            return 1;
        }
    }

    return 0;
}


int
vm_modalities_parse(vm_generation_t *g)
{
    const json_t  *list, *size;

    list = g->params.modalities.json;

    if (!g->settings->all_endpoints || g->params.stream) {
        return VM_OK;
    }

    g->picture = vm_modalities_has(list, "image") & 1;
    g->voice = vm_modalities_has(list, "audio") & 1;
    g->mute = list && !vm_modalities_has(list, "text");
    g->width = VM_MODAL_SIDE;
    g->height = VM_MODAL_SIDE;

    if (!g->picture) {
        return VM_OK;
    }

    size = g->params.size.json;

    return json_is_string(size) ? vm_image_size(g, size, &g->width,
                                                &g->height)
                                : VM_OK;
}


int
vm_modalities_any(const vm_generation_t *g)
{
    return g->picture || g->voice;
}


void
vm_modalities_content(vm_generation_t *g, const vm_choice_t *c,
    vm_str_t text, vm_buf_t *out)
{
    vm_buf_t  b;

    if (!g->picture) {
        vm_buf_lit(out, "null");        /* its words are the transcript */
        return;
    }

    vm_buf_char(out, '[');

    if (!g->mute) {
        vm_buf_lit(out, "{\"type\":\"text\",\"text\":");
        vm_buf_json(out, text.data, text.len);
        vm_buf_lit(out, "},");
    }

    vm_buf_init(&b);
    vm_png_picture(&b, g->width, g->height, c->writer.key);

    vm_buf_lit(out, "{\"type\":\"image_url\",\"image_url\":{\"url\":"
                    "\"data:image/png;base64,");
    vm_buf_base64(out, b.data, b.len);
    vm_buf_lit(out, "\"}}]");

    out->failed |= b.failed;
    vm_buf_free(&b);
}


void
vm_modalities_audio(vm_generation_t *g, const vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    vm_buf_t  b;
    uint32_t  samples;

    if (!g->voice) {
        vm_buf_lit(out, "null");
        return;
    }

    samples = (uint32_t) vm_min(1 + text.len / VM_MODAL_CHARS,
                                VM_MODAL_SECONDS) * VM_WAV_RATE;

    vm_buf_init(&b);
    vm_wav_header(&b, samples);
    vm_wav_voice(&b, c->writer.key, 0, samples);

    vm_buf_printf(out, "{\"id\":\"audio-%016llx\",\"data\":\"",
                  (unsigned long long) vm_rand_mix(c->writer.key));
    vm_buf_base64(out, b.data, b.len);
    vm_buf_printf(out, "\",\"expires_at\":%lld,\"transcript\":",
                  (long long) g->created + VM_MODAL_KEPT);
    vm_buf_json(out, text.data, text.len);
    vm_buf_char(out, '}');

    out->failed |= b.failed;
    vm_buf_free(&b);
}
