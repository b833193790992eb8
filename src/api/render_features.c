/*
 * The features of a rendered chat: which images, sounds and videos it has, and
 * where their tokens stand.
 */

#include "content.h"
#include "render.h"
#include "../base/rand.h"


#define VM_RENDER_MEDIA  64             /* of a chat; more are left out */

typedef struct {
    vm_medium_t  medium;
    uint32_t     offset;
} vm_placed_t;

static const char *const  vm_modalities_of_parts[] = {
    "image", "audio", "video"
};


/* The first token at or behind `from` that is a placeholder's. */

static uint32_t
vm_render_place(const vm_prompt_t *p, uint32_t fill, uint32_t from)
{
    uint32_t  i;

    for (i = from; i < p->n; i++) {
        if (p->ids[i] == fill) {
            return i >= VM_MEDIA_MARK ? i - VM_MEDIA_MARK : 0;
        }
    }

    return VM_NEVER;
}


/* All of a chat, in their order. */

static uint32_t
vm_render_media(const vm_generation_t *g, const vm_prompt_t *p, uint32_t fill,
    vm_placed_t *list)
{
    size_t    i, k;
    json_t   *message, *part;
    uint32_t  from, n;

    from = 0;
    n = 0;

    json_array_foreach(g->params.messages.json, i, message) {
        json_array_foreach(json_object_get(message, "content"), k, part) {

            if (n == VM_RENDER_MEDIA
                || !vm_content_medium(part, &list[n].medium))
            {
                continue;
            }

            list[n].offset = vm_render_place(p, fill, from);

            if (list[n].offset == VM_NEVER) {
                return n;               /* cut off by truncation */
            }

            from = list[n].offset + list[n].medium.tokens;
            n++;
        }
    }

    return n;
}


/* As many hexadecimal digits as vLLM's own hash has. */

static void
vm_render_hash(const vm_medium_t *m, vm_buf_t *out)
{
    unsigned  i;

    vm_buf_char(out, '"');

    for (i = 0; i < 4; i++) {
        vm_buf_printf(out, "%016llx",
                      (unsigned long long) vm_rand_at(m->hash, i));
    }

    vm_buf_char(out, '"');
}


/* {"image":[...],...}: a hash or a place for each, by their kinds. */

static void
vm_render_kinds(const vm_placed_t *list, uint32_t n, int places,
    vm_buf_t *out)
{
    uint32_t     i, kinds, of;
    unsigned     m;
    const char  *modality;

    vm_buf_char(out, '{');

    for (kinds = 0, m = 0; m < vm_nelts(vm_modalities_of_parts); m++) {
        modality = vm_modalities_of_parts[m];

        for (of = 0, i = 0; i < n; i++) {

            if (strcmp(list[i].medium.modality, modality) != 0) {
                continue;
            }

            if (of++ == 0) {
                vm_buf_printf(out, "%s\"%s\":[", kinds++ ? "," : "",
                              modality);

            } else {
                vm_buf_char(out, ',');
            }

            if (places) {
                vm_buf_printf(out, "{\"offset\":%u,\"length\":%u}",
                              list[i].offset, list[i].medium.tokens);

            } else {
                vm_render_hash(&list[i].medium, out);
            }
        }

        vm_buf_str(out, of ? "]" : "");
    }

    vm_buf_char(out, '}');
}


void
vm_render_features(const vm_generation_t *g, uint32_t prompt, vm_buf_t *out)
{
    char         fill;
    uint32_t     n;
    vm_ids_t     ids;
    vm_placed_t  list[VM_RENDER_MEDIA];

    fill = VM_MEDIA_FILL;
    n = 0;
    vm_ids_init(&ids);

    if (g->settings->all_endpoints && json_is_array(g->params.messages.json)
        && vm_tokenizer_encode(g->settings->tokenizer, &fill, 1, 0, &ids)
           == VM_OK
        && ids.n)
    {
        n = vm_render_media(g, &g->prompts[prompt], ids.ids[ids.n - 1],
                            list);
    }

    vm_ids_free(&ids);

    if (n == 0) {
        vm_buf_lit(out, "null");
        return;
    }

    vm_buf_lit(out, "{\"mm_hashes\":");
    vm_render_kinds(list, n, 0, out);
    vm_buf_lit(out, ",\"mm_placeholders\":");
    vm_render_kinds(list, n, 1, out);
    vm_buf_lit(out, ",\"kwargs_data\":null}");
}
