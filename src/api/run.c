/*
 * A generation on its way: tokens that came become text and chunks.
 */

#include "parts.h"
#include "../base/rand.h"


#define VM_REPLACEMENT  "\xef\xbf\xbd"


/* How many bytes the character has that begins with c; 0: none does. */

static unsigned
vm_run_need(unsigned char c)
{
    if (c < 0x80) {
        return 1;
    }

    if (c < 0xc2 || c > 0xf4) {
        return 0;
    }

    return c < 0xe0 ? 2 : (c < 0xf0 ? 3 : 4);
}


/* Only whole characters are text; the rest waits for its other bytes. */

void
vm_run_decode(vm_choice_t *c, const char *s, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {

        if (c->nhalf && ((unsigned char) s[i] & 0xc0) != 0x80) {
            vm_buf_lit(&c->text, VM_REPLACEMENT);
            c->nhalf = 0;
        }

        if (c->nhalf == 0) {

            switch (vm_run_need((unsigned char) s[i])) {

            case 0:
                vm_buf_lit(&c->text, VM_REPLACEMENT);
                continue;

            case 1:
                vm_buf_char(&c->text, s[i]);
                continue;

            default:
                break;
            }
        }

        c->half[c->nhalf++] = s[i];

        if (c->nhalf == vm_run_need((unsigned char) c->half[0])) {
            vm_buf_add(&c->text, c->half, c->nhalf);
            c->nhalf = 0;
        }
    }
}


void
vm_run_decode_end(vm_choice_t *c)
{
    if (c->nhalf) {
        vm_buf_lit(&c->text, VM_REPLACEMENT);
        c->nhalf = 0;
    }
}


static void
vm_run_token(vm_generation_t *g, vm_choice_t *c)
{
    uint32_t  id;
    vm_str_t  piece;

    id = vm_generation_token(g, c, c->made++);

    if (c->stop == VM_STOP_TOKEN && c->made - 1 == c->stop_at
        && !g->params.include_stop_str_in_output)
    {
        return;                         /* a stop token has no text */
    }

    if (c->thinks && c->made - 1 == c->think_end) {
        vm_run_decode_end(c);
        c->thought = c->text.len;
        return;                         /* nor has the end of a thought */
    }

    piece = (g->params.skip_special_tokens
             || !vm_tokenizer_special(g->settings->tokenizer, id))
            ? vm_generation_bytes(g, c, c->made - 1, id)
            : vm_tokenizer_piece(g->settings->tokenizer, id);

    vm_run_decode(c, piece.data, piece.len);
}


/* Characters held back while a stop string may still match. */

static size_t
vm_run_held(const vm_generation_t *g)
{
    size_t         i, longest, n;
    json_t        *item;
    const json_t  *stop;

    stop = g->params.stop.json;

    if (stop == NULL || g->params.include_stop_str_in_output) {
        return 0;
    }

    longest = json_is_string(stop)
              ? vm_value_chars(json_string_value(stop),
                               json_string_length(stop))
              : 0;

    json_array_foreach(stop, i, item) {
        n = vm_value_chars(json_string_value(item),
                           json_string_length(item));
        longest = vm_max(longest, n);
    }

    return longest ? longest - 1 : 0;
}


/* The text that may be shown by now, in bytes. */

static size_t
vm_run_visible(const vm_generation_t *g, const vm_choice_t *c)
{
    size_t  held, len;

    len = vm_min(c->text.len, c->text_end);

    if (c->finish) {
        return len;
    }

    for (held = vm_run_held(g); held && len; held--) {
        do {
            len--;
        } while (len && ((unsigned char) c->text.data[len] & 0xc0) == 0x80);
    }

    return vm_max(len, c->shown);
}


/* Thoughts are not looked at. */

static void
vm_run_parsed(vm_generation_t *g, vm_choice_t *c, size_t end)
{
    int        called;
    vm_part_e  kind;

    if (!vm_parts_parsed(g)) {
        return;
    }

    kind = vm_parts_at(c, vm_min(c->shown, end), end).kind;
    called = kind == VM_PART_NAME || kind == VM_PART_ARGUMENTS;

    if (kind != VM_PART_REASONING) {
        g->parsed[0][!called]++;
    }
}


static void
vm_run_chunk(vm_generation_t *g, vm_choice_t *c, vm_buf_t *out)
{
    size_t    end;
    vm_str_t  text;

    end = vm_run_visible(g, c);
    vm_run_parsed(g, c, end);

    text.data = c->text.data ? c->text.data + c->shown : "";
    text.len = end - c->shown;

    g->protocol->chunk(g, c, text, out);

    c->shown = end;
    c->sent = c->made;
}


/*
 * How many tokens a chunk has: fixed, or drawn anew for each by where it
 * begins, unless the request says it.
 */

static uint32_t
vm_run_interval(const vm_generation_t *g, const vm_choice_t *c)
{
    const vm_output_t  *o;

    o = g->call->output;

    if (o->chunk_a == 0 || g->params.stream_interval.set) {
        return g->interval;
    }

    return o->chunk_a + (uint32_t) (vm_rand_at(c->writer.key, c->sent)
                                    % (o->chunk_b - o->chunk_a + 1));
}


void
vm_generation_tokens(vm_generation_t *g, vm_choice_t *c, uint32_t count,
    const char *finish, vm_buf_t *out)
{
    if (c->finish) {
        return;
    }

    if (g->stream && !g->begun) {
        g->begun = 1;
        g->protocol->begin(g, out);
    }

    do {
        if (count) {
            vm_run_token(g, c);
            count--;
        }

        if (count == 0 && finish) {
            c->finish = finish;

            vm_run_decode_end(c);

            if (!g->stream && !g->deltas && vm_parts_parsed(g)) {
                g->parsed[1][vm_parts_calls(c) == 0]++;
            }
        }

        if ((g->stream || g->deltas)
            && (c->finish || (c->made == 1 && !g->params.use_beam_search)
                || c->made - c->sent >= vm_run_interval(g, c)))
        {
            vm_run_chunk(g, c, out);
        }

    } while (count);

    if (c->finish && --g->live == 0) {
        g->protocol->end(g, out);
    }
}


void
vm_generation_fail(vm_generation_t *g, const vm_error_t *e, vm_buf_t *out)
{
    (void) g;

    if (e->anthropic) {
        vm_buf_lit(out, "event: error\ndata: ");
        vm_error_render(out, e, 0);
        vm_buf_lit(out, "\n\n");
        return;
    }

    vm_buf_lit(out, "data: ");
    vm_error_render(out, e, 1);
    vm_buf_lit(out, "\n\ndata: [DONE]\n\n");
}
