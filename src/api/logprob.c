/*
 * Log-probabilities: made up, but the same for the same token at the same
 * place, and ordered as they should be.
 */

#include "pieces.h"
#include "../base/rand.h"
#include "../text/unicode.h"


typedef struct {
    uint32_t  id;
    double    logprob;
    uint32_t  rank;
} vm_lp_t;


/* Of the token that was drawn, and of the k-th other one. */

static double
vm_lp_value(uint64_t key, uint32_t pos, uint32_t k)
{
    double  base;

    base = 0.02 + 1.6 * vm_rand_unit(vm_rand_at(key ^ 0x5bd1e995, pos));

    return -(base + k * (0.35 + 0.4 * vm_rand_unit(vm_rand_at(key, pos))));
}


static uint32_t
vm_lp_other(const vm_generation_t *g, uint64_t key, uint32_t pos, uint32_t k,
    uint32_t drawn)
{
    uint32_t  first, id, least, n;

    /* neighbours in the vocabulary: each another text */

    vm_tokenizer_range(g->settings->tokenizer, &least, &n);

    first = (uint32_t) (vm_rand_at(key ^ 0x27d4eb2f, pos) % n);
    id = least + (first + k) % n;

    return id == drawn ? least + (first + n - 1) % n : id;
}


/* The i-th of the candidates at a place: the drawn token, then the others. */

static vm_lp_t
vm_lp_at(const vm_generation_t *g, uint64_t key, uint32_t pos, uint32_t drawn,
    uint32_t i)
{
    vm_lp_t        lp;
    vm_int_t       id;
    const json_t  *list;

    lp.id = drawn;
    lp.rank = i + 1;
    lp.logprob = vm_lp_value(key, pos, i);

    if (i == 0) {
        return lp;
    }

    list = g->params.logprob_token_ids.json;

    if (list) {
        vm_field_int(json_array_get(list, i - 1), &id);
        lp.id = (uint32_t) id.v;

    } else {
        lp.id = vm_lp_other(g, key, pos, i, drawn);
    }

    return lp;
}


static uint32_t
vm_lp_count(const vm_generation_t *g)
{
    const json_t  *list;

    list = g->params.logprob_token_ids.json;

    if (json_array_size(list)) {
        return 1 + (uint32_t) json_array_size(list);
    }

    return (uint32_t) vm_max(g->nlogprobs, 0);
}


/* A token alone: what is no whole character is U+FFFD. */

static void
vm_lp_decoded(const vm_generation_t *g, uint32_t id, vm_buf_t *out)
{
    vm_str_t  piece;

    piece = vm_tokenizer_special(g->settings->tokenizer, id)
            ? vm_tokenizer_piece(g->settings->tokenizer, id)
            : vm_tokenizer_bytes(g->settings->tokenizer, id);

    vm_utf8_repair(piece.data, piece.len, out);
}


/* A token's text in an answer: its own, or "token_id:N". */

static void
vm_lp_text(const vm_generation_t *g, uint32_t id, vm_buf_t *out)
{
    if (g->tokens_as_ids) {
        vm_buf_printf(out, "token_id:%u", id);

    } else {
        vm_lp_decoded(g, id, out);
    }
}


static void
vm_lp_token(const vm_generation_t *g, uint32_t id, vm_buf_t *out)
{
    vm_buf_t  b;

    vm_buf_init(&b);
    vm_lp_text(g, id, &b);
    vm_buf_json(out, b.data ? b.data : "", b.len);
    vm_buf_free(&b);
}


static void
vm_lp_bytes(const vm_generation_t *g, uint32_t id, int own, vm_buf_t *out)
{
    size_t    i;
    vm_buf_t  b;

    vm_buf_init(&b);

    if (own) {
        vm_lp_decoded(g, id, &b);

    } else {
        vm_lp_text(g, id, &b);
    }

    vm_buf_char(out, '[');

    for (i = 0; i < b.len; i++) {
        if (i) {
            vm_buf_char(out, ',');
        }

        vm_buf_uint(out, (unsigned char) b.data[i]);
    }

    vm_buf_char(out, ']');
    vm_buf_free(&b);
}


static void
vm_lp_entry(const vm_generation_t *g, const vm_lp_t *lp, int own,
    vm_buf_t *out)
{
    vm_buf_lit(out, "{\"token\":");
    vm_lp_token(g, lp->id, out);
    vm_buf_lit(out, ",\"logprob\":");
    vm_buf_double(out, lp->logprob);
    vm_buf_lit(out, ",\"bytes\":");

    if (own && g->params.use_beam_search) {
        vm_buf_lit(out, "null");        /* a beam has no text of its own */

    } else {
        vm_lp_bytes(g, lp->id, own, out);
    }
}


void
vm_piece_logprobs_chat(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t from, uint32_t to, vm_buf_t *out)
{
    vm_lp_t   lp;
    uint32_t  i, id, n, pos;
    uint64_t  key;

    n = vm_lp_count(g);
    key = c->writer.key;

    vm_buf_lit(out, "{\"content\":[");

    for (pos = from; pos < to; pos++) {
        id = vm_generation_token(g, c, pos);

        if (pos > from) {
            vm_buf_char(out, ',');
        }

        lp = vm_lp_at(g, key, pos, id, 0);
        vm_lp_entry(g, &lp, 1, out);
        vm_buf_lit(out, ",\"top_logprobs\":[");

        for (i = 0; i < n; i++) {
            if (i) {
                vm_buf_char(out, ',');
            }

            lp = vm_lp_at(g, key, pos, id, i);
            vm_lp_entry(g, &lp, 0, out);
            vm_buf_char(out, '}');
        }

        vm_buf_lit(out, "]}");
    }

    vm_buf_lit(out, "]}");
}


/*
 * Of tokens in, tokens out: there is always a candidate, and no more than were
 * asked for.  As ids, or as text in chat's form.
 */

static void
vm_lp_entry_id(const vm_generation_t *g, const vm_lp_t *lp, int text,
    vm_buf_t *out)
{
    if (!text) {
        vm_buf_printf(out, "{\"token_id\":%u,\"logprob\":", lp->id);
        vm_buf_double(out, lp->logprob);
        vm_buf_printf(out, ",\"rank\":%u", lp->rank);
        return;
    }

    vm_buf_lit(out, "{\"token\":");
    vm_lp_token(g, lp->id, out);
    vm_buf_lit(out, ",\"logprob\":");
    vm_buf_double(out, lp->logprob);
    vm_buf_lit(out, ",\"bytes\":");

    if (g->tokens_as_ids) {
        vm_buf_lit(out, "null");

    } else {
        vm_lp_bytes(g, lp->id, 1, out);
    }
}


void
vm_piece_logprobs_ids(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t from, uint32_t to, int text, vm_buf_t *out)
{
    vm_lp_t   lp;
    uint32_t  i, id, n, pos;

    n = (uint32_t) vm_max(g->nlogprobs, 1);

    vm_buf_lit(out, "{\"content\":[");

    for (pos = from; pos < to; pos++) {
        id = vm_generation_token(g, c, pos);

        for (i = 0; i < n; i++) {
            lp = vm_lp_at(g, c->writer.key, pos, id, i);

            if (i == 0) {
                vm_buf_str(out, pos > from ? "," : "");
                vm_lp_entry_id(g, &lp, text, out);
                vm_buf_lit(out, ",\"top_logprobs\":[");

            } else {
                vm_buf_char(out, ',');
            }

            vm_lp_entry_id(g, &lp, text, out);
            vm_buf_char(out, '}');
        }

        vm_buf_lit(out, "]}");
    }

    vm_buf_lit(out, "]}");
}


/* Places of the prompt count before those of the output. */

static uint32_t
vm_lp_id(const vm_generation_t *g, const vm_choice_t *c, uint32_t pos,
    uint32_t nprompt)
{
    return pos < nprompt ? g->prompts[c->prompt].ids[pos]
                         : vm_generation_token(g, c, pos - nprompt);
}


static void
vm_lp_dict(const vm_generation_t *g, uint64_t key, uint32_t pos, uint32_t id,
    vm_buf_t *out)
{
    vm_lp_t   lp;
    uint32_t  i, n;

    n = vm_max(vm_lp_count(g), 1);

    vm_buf_char(out, '{');

    for (i = 0; i < n; i++) {
        if (i) {
            vm_buf_char(out, ',');
        }

        lp = vm_lp_at(g, key, pos, id, i);
        vm_lp_token(g, lp.id, out);
        vm_buf_char(out, ':');
        vm_buf_double(out, lp.logprob);
    }

    vm_buf_char(out, '}');
}


void
vm_piece_logprobs_text(const vm_generation_t *g, const vm_choice_t *c,
    uint32_t from, uint32_t to, int echo, vm_buf_t *out)
{
    size_t       offset;
    uint32_t     begin, id, nprompt, pos;
    uint64_t     key;
    vm_buf_t     dicts, offsets, probs, text, tokens;
    const char  *comma;

    key = c->writer.key;
    nprompt = echo ? g->prompts[c->prompt].n : 0;

    /* positions count over the echoed prompt, whose text comes first */

    begin = from == 0 ? 0 : from + nprompt;
    to += nprompt;

    vm_buf_init(&dicts);
    vm_buf_init(&offsets);
    vm_buf_init(&probs);
    vm_buf_init(&text);
    vm_buf_init(&tokens);

    offset = 0;

    for (pos = 0; pos < begin; pos++) {
        vm_buf_reset(&text);
        vm_lp_decoded(g, vm_lp_id(g, c, pos, nprompt), &text);
        offset += vm_value_chars(text.data, text.len);
    }

    for (comma = "", pos = begin; pos < to; pos++, comma = ",") {
        id = vm_lp_id(g, c, pos, nprompt);

        vm_buf_str(&offsets, comma);
        vm_buf_uint(&offsets, offset);
        vm_buf_str(&tokens, comma);
        vm_lp_token(g, id, &tokens);
        vm_buf_str(&probs, comma);
        vm_buf_str(&dicts, comma);

        if (pos == 0 && nprompt) {
            vm_buf_lit(&probs, "null");
            vm_buf_lit(&dicts, "null");

        } else {
            vm_buf_double(&probs, vm_lp_value(key, pos, 0));
            vm_lp_dict(g, key, pos, id, &dicts);
        }

        vm_buf_reset(&text);
        vm_lp_text(g, id, &text);
        offset += vm_value_chars(text.data, text.len);
    }

    vm_buf_lit(out, "{\"text_offset\":[");
    vm_buf_add(out, offsets.data, offsets.len);
    vm_buf_lit(out, "],\"token_logprobs\":[");
    vm_buf_add(out, probs.data, probs.len);
    vm_buf_lit(out, "],\"tokens\":[");
    vm_buf_add(out, tokens.data, tokens.len);
    vm_buf_lit(out, "],\"top_logprobs\":[");
    vm_buf_add(out, dicts.data, dicts.len);
    vm_buf_lit(out, "]}");

    vm_buf_free(&dicts);
    vm_buf_free(&offsets);
    vm_buf_free(&probs);
    vm_buf_free(&text);
    vm_buf_free(&tokens);
}


void
vm_piece_prompt_logprobs(const vm_generation_t *g, const vm_prompt_t *p,
    vm_buf_t *out)
{
    vm_lp_t   lp;
    vm_buf_t  b;
    uint32_t  i, n, pos;
    uint64_t  key;

    if (g->nprompt_logprobs < 0) {
        vm_buf_lit(out, "null");
        return;
    }

    key = vm_rand_bytes(p->ids, p->n * sizeof(uint32_t), 1);
    n = 1 + (uint32_t) g->nprompt_logprobs;

    vm_buf_init(&b);
    vm_buf_lit(out, "[null");

    for (pos = 1; pos < p->n; pos++) {
        vm_buf_lit(out, ",{");

        for (i = 0; i < n; i++) {
            lp.id = i ? vm_lp_other(g, key, pos, i, p->ids[pos])
                      : p->ids[pos];
            lp.logprob = vm_lp_value(key, pos, i ? i - 1 : n);
            lp.rank = i ? i : n;

            vm_buf_reset(&b);
            vm_lp_decoded(g, lp.id, &b);

            vm_buf_printf(out, "%s\"%u\":{\"logprob\":", i ? "," : "", lp.id);
            vm_buf_double(out, lp.logprob);
            vm_buf_printf(out, ",\"rank\":%u,\"decoded_token\":", lp.rank);
            vm_buf_json(out, b.data ? b.data : "", b.len);
            vm_buf_char(out, '}');
        }

        vm_buf_char(out, '}');
    }

    vm_buf_char(out, ']');
    vm_buf_free(&b);
}
