/*
 * Tokenizers by byte pair encoding: the kind that tokenizer.json and tiktoken
 * files share.
 */

#include <stdlib.h>
#include "bytepair.h"
#include "unicode.h"


/* What one call of encode() hands down. */
typedef struct {
    const vm_bytepair_t  *b;
    vm_ids_t             *out;
    size_t                most;         /* ids in `out` */
    int                   inside;
} vm_bytepair_run_t;


static int vm_bytepair_encode(const vm_tokenizer_t *t, const char *text,
    size_t len, size_t max, int inside, vm_ids_t *out);
static int vm_bytepair_text(vm_bytepair_run_t *r, const char *s, size_t len);
static int vm_bytepair_segment(vm_bytepair_run_t *r, const char *s,
    size_t len, int first);
static int vm_bytepair_between(vm_bytepair_run_t *r, const char *s,
    size_t len, int first);
static int vm_bytepair_part(vm_bytepair_run_t *r, const char *s, size_t len,
    int first);
static int vm_bytepair_split(vm_bytepair_run_t *r, uint32_t n, const char *s,
    size_t len);
static int vm_bytepair_piece(vm_bytepair_run_t *r, const char *s, size_t len);
static uint32_t vm_bytepair_known(const vm_bytepair_t *b, const char *s,
    size_t len);
static int vm_bytepair_merge(const vm_bytepair_t *b, const char *s,
    size_t len, vm_ids_t *out);
static void vm_bytepair_characters(const vm_bytepair_t *b, const char *s,
    size_t len, vm_ids_t *out);
static void vm_bytepair_joins(vm_bytepair_t *b);
static int vm_bytepair_whole(vm_bytepair_t *b);
static vm_str_t vm_bytepair_bytes(const vm_tokenizer_t *t, uint32_t id);
static vm_str_t vm_bytepair_spelling(const vm_tokenizer_t *t, uint32_t id);
static int vm_bytepair_special(const vm_tokenizer_t *t, uint32_t id);
static void vm_bytepair_free(vm_tokenizer_t *t);


static const vm_tokenizer_kind_t  vm_bytepair_kind = {
    vm_bytepair_encode,
    vm_bytepair_bytes,
    vm_bytepair_spelling,
    vm_bytepair_special,
    vm_bytepair_free
};


vm_bytepair_t *
vm_bytepair_create(void)
{
    vm_bytepair_t  *b;

    b = calloc(1, sizeof(vm_bytepair_t));

    if (b) {
        b->common.kind = &vm_bytepair_kind;
        b->common.bos = VM_NEVER;
        b->common.eos = VM_NEVER;
        b->common.bos_alone = 1;
        b->unk = VM_NEVER;
        memset(b->symbols, 0xff, sizeof(b->symbols));
    }

    return b;
}


int
vm_bytepair_finish(vm_bytepair_t *b)
{
    if (b->vocab.failed || b->merges.failed || b->added.failed
        || b->added_normal.failed)
    {
        return VM_ERROR;
    }

    b->common.vocab = b->vocab.n;

    if (!b->common.byte_level) {
        vm_bytepair_joins(b);
    }

    if (vm_bytepair_whole(b) != VM_OK) {
        return VM_ERROR;
    }

    return vm_tokenizer_finish(&b->common);
}


/*
 * Where pieces are not cut at spaces: the bytes that stand before a space in
 * any token.  Behind all others text can be cut without another result, as no
 * merge could take both sides.
 */

static void
vm_bytepair_joins(vm_bytepair_t *b)
{
    size_t    i;
    uint32_t  id;
    vm_str_t  s;

    for (id = 0; id < b->vocab.n; id++) {
        s = vm_vocab_piece(&b->vocab, id);

        for (i = 1; i + 2 < s.len; i++) {
            if (memcmp(s.data + i, VM_SPACE_MARK, 3) == 0) {
                b->joins[(unsigned char) s.data[i - 1]] = 1;
            }
        }
    }

    b->common.joins = b->joins;
}


/* Marks the tokens that merges make of their own text. */

static int
vm_bytepair_whole(vm_bytepair_t *b)
{
    int        rc;
    uint32_t   id;
    vm_ids_t   ids;
    vm_str_t   s;

    vm_ids_init(&ids);
    rc = VM_OK;

    for (id = 0; id < b->vocab.n && rc == VM_OK; id++) {
        s = b->vocab.by_piece ? vm_vocab_piece(&b->vocab, id)
                              : vm_vocab_bytes(&b->vocab, id);

        if (vm_vocab_find(&b->vocab, s.data, s.len) != id) {
            continue;
        }

        ids.n = 0;

        if (!b->ignore_merges) {
            rc = vm_bytepair_merge(b, s.data, s.len, &ids);
        }

        if (b->ignore_merges || (ids.n == 1 && ids.ids[0] == id)) {
            b->vocab.tokens[id].flags |= VM_VOCAB_WHOLE;
        }
    }

    vm_ids_free(&ids);

    return rc;
}


static int
vm_bytepair_encode(const vm_tokenizer_t *t, const char *text, size_t len,
    size_t max, int inside, vm_ids_t *out)
{
    int                rc;
    size_t             valid;
    vm_buf_t           whole;
    vm_bytepair_run_t  r;

    r.b = (const vm_bytepair_t *) t;
    r.out = out;
    r.most = max ? out->n + max : SIZE_MAX;
    r.inside = inside;

    valid = vm_utf8_valid(text, len);

    if (valid == len) {
        rc = vm_bytepair_text(&r, text, len);

    } else {
        vm_buf_init(&whole);
        vm_utf8_repair(text, len, &whole);

        rc = whole.failed ? VM_ERROR
                          : vm_bytepair_text(&r, whole.data, whole.len);
        vm_buf_free(&whole);
    }

    if (rc != VM_OK || out->failed) {
        return VM_ERROR;
    }

    out->n = vm_min(out->n, r.most);

    return VM_OK;
}


static int
vm_bytepair_text(vm_bytepair_run_t *r, const char *s, size_t len)
{
    size_t            at;
    vm_added_match_t  m;

    at = 0;

    while (r->out->n < r->most && vm_added_next(&r->b->added, s, len, at, &m))
    {
        if (m.start > at
            && vm_bytepair_segment(r, s + at, m.start - at, at == 0) != VM_OK)
        {
            return VM_ERROR;
        }

        vm_ids_add(r->out, m.id);
        at = m.end;
    }

    return at < len ? vm_bytepair_segment(r, s + at, len - at, at == 0)
                    : VM_OK;
}


static int
vm_bytepair_segment(vm_bytepair_run_t *r, const char *s, size_t len,
    int first)
{
    int       rc;
    vm_buf_t  text;

    if (r->b->nsteps == 0) {
        return vm_bytepair_between(r, s, len, first);
    }

    vm_buf_init(&text);
    vm_normal_apply(r->b->steps, r->b->nsteps, first, r->inside, s, len,
                    &text);

    rc = text.failed ? VM_ERROR
                     : vm_bytepair_between(r, text.data, text.len, first);
    vm_buf_free(&text);

    return rc;
}


/* Added tokens in normalized text, and what lies between them. */

static int
vm_bytepair_between(vm_bytepair_run_t *r, const char *s, size_t len,
    int first)
{
    size_t            at;
    vm_added_match_t  m;

    at = 0;

    while (r->out->n < r->most
           && vm_added_next(&r->b->added_normal, s, len, at, &m))
    {
        if (m.start > at
            && vm_bytepair_part(r, s + at, m.start - at, first && at == 0)
               != VM_OK)
        {
            return VM_ERROR;
        }

        vm_ids_add(r->out, m.id);
        at = m.end;
    }

    return at < len ? vm_bytepair_part(r, s + at, len - at, first && at == 0)
                    : VM_OK;
}


static int
vm_bytepair_part(vm_bytepair_run_t *r, const char *s, size_t len, int first)
{
    int       rc;
    vm_buf_t  text;

    if (r->b->npart == 0) {
        return vm_bytepair_split(r, 0, s, len);
    }

    vm_buf_init(&text);
    vm_normal_apply(r->b->part, r->b->npart, first, r->inside, s, len, &text);

    rc = text.failed ? VM_ERROR
                     : vm_bytepair_split(r, 0, text.data, text.len);
    vm_buf_free(&text);

    return rc;
}


void
vm_normal_apply(const vm_normal_t *steps, uint32_t n, int first, int inside,
    const char *s, size_t len, vm_buf_t *out)
{
    size_t              at, size;
    uint32_t            i;
    vm_buf_t            from;
    const char         *p;
    const vm_normal_t  *step;

    vm_buf_init(&from);
    vm_buf_add(out, s, len);

    for (i = 0; i < n && out->len; i++) {
        step = &steps[i];

        if (step->what >= VM_NORMAL_PREPEND
            && (inside || (step->first && !first)))
        {
            continue;
        }

        size = strlen(step->to);

        if (step->what == VM_NORMAL_PREFIX && out->len >= size
            && memcmp(out->data, step->to, size) == 0)
        {
            continue;
        }

        vm_buf_reset(&from);
        vm_buf_add(&from, out->data, out->len);
        vm_buf_reset(out);

        if (from.failed) {
            out->failed = 1;
            break;
        }

        switch (step->what) {

        case VM_NORMAL_COMPOSE:
            vm_utf8_compose(from.data, from.len, out);
            break;

        case VM_NORMAL_REPLACE:
            size = strlen(step->from);
            at = 0;

            while ((p = memmem(from.data + at, from.len - at, step->from,
                               size)))
            {
                vm_buf_add(out, from.data + at,
                           (size_t) (p - from.data) - at);
                vm_buf_str(out, step->to);
                at = (size_t) (p - from.data) + size;
            }

            vm_buf_add(out, from.data + at, from.len - at);
            break;

        default:
            vm_buf_str(out, step->to);
            vm_buf_add(out, from.data, from.len);
            break;
        }
    }

    vm_buf_free(&from);
}


/* Cuts by the n-th splitter and those behind it. */

static int
vm_bytepair_split(vm_bytepair_run_t *r, uint32_t n, const char *s, size_t len)
{
    int     rc;
    size_t  end, i;

    if (n == r->b->nsplits) {
        return vm_bytepair_piece(r, s, len);
    }

    for (i = 0; i < len && r->out->n < r->most; i = end) {
        end = vm_split_next(r->b->splits[n], s, len, i);

        rc = vm_bytepair_split(r, n + 1, s + i, end - i);

        if (rc != VM_OK || r->out->failed) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
vm_bytepair_piece(vm_bytepair_run_t *r, const char *s, size_t len)
{
    size_t       end;
    uint32_t     id;
    const char  *mark;

    id = vm_bytepair_known(r->b, s, len);

    if (id != VM_NEVER) {
        vm_ids_add(r->out, id);
        return VM_OK;
    }

    if (r->b->common.byte_level) {
        return vm_bytepair_merge(r->b, s, len, r->out);
    }

    while (len && r->out->n < r->most) {
        mark = s;

        do {
            mark = memmem(mark + 1, (size_t) (s + len - mark - 1),
                          VM_SPACE_MARK, 3);
        } while (mark && r->b->joins[(unsigned char) mark[-1]]);

        end = mark ? (size_t) (mark - s) : len;
        id = r->b->ignore_merges ? VM_NEVER : vm_bytepair_known(r->b, s, end);

        if (id != VM_NEVER) {
            vm_ids_add(r->out, id);

        } else if (vm_bytepair_merge(r->b, s, end, r->out) != VM_OK) {
            return VM_ERROR;
        }

        s += end;
        len -= end;
    }

    return VM_OK;
}


/* The token that a piece is known to become; VM_NEVER: not known. */

static uint32_t
vm_bytepair_known(const vm_bytepair_t *b, const char *s, size_t len)
{
    uint32_t  id;

    id = vm_vocab_find(&b->vocab, s, len);

    if (id == VM_NEVER || !(b->vocab.tokens[id].flags & VM_VOCAB_WHOLE)) {
        return VM_NEVER;
    }

    return id;
}


static int
vm_bytepair_merge(const vm_bytepair_t *b, const char *s, size_t len,
    vm_ids_t *out)
{
    size_t    i, start;
    uint32_t  id;

    start = out->n;

    if (!b->common.byte_level) {
        vm_bytepair_characters(b, s, len, out);
        return vm_merges_apply(&b->merges, out, start);
    }

    for (i = 0; i < len; i++) {
        id = b->symbols[(unsigned char) s[i]];

        if (id != VM_NEVER) {
            vm_ids_add(out, id);

        } else if (b->unk != VM_NEVER
                   && (!b->fuse_unk || out->n == start
                       || out->ids[out->n - 1] != b->unk))
        {
            vm_ids_add(out, b->unk);
        }
    }

    return vm_merges_apply(&b->merges, out, start);
}


/* A character that the vocabulary has not is its bytes, or unknown. */

static void
vm_bytepair_characters(const vm_bytepair_t *b, const char *s, size_t len,
    vm_ids_t *out)
{
    int       unknown;
    size_t    i, k, n;
    uint32_t  id;

    unknown = 0;

    for (i = 0; i < len && !out->failed; i += n) {
        n = (size_t) vm_char_len(s[i]);
        id = vm_vocab_find(&b->vocab, s + i, n);

        if (id != VM_NEVER) {
            vm_ids_add(out, id);
            unknown = 0;
            continue;
        }

        for (k = 0; k < n && b->fallback; k++) {
            if (b->symbols[(unsigned char) s[i + k]] == VM_NEVER) {
                break;
            }
        }

        if (k == n) {
            for (k = 0; k < n; k++) {
                vm_ids_add(out, b->symbols[(unsigned char) s[i + k]]);
            }

            unknown = 0;

        } else if (b->unk != VM_NEVER) {

            if (!unknown || !b->fuse_unk) {
                vm_ids_add(out, b->unk);
            }

            unknown = 1;
        }
    }
}


static vm_str_t
vm_bytepair_bytes(const vm_tokenizer_t *t, uint32_t id)
{
    static const vm_str_t  none = vm_str("");

    return vm_bytepair_special(t, id)
           ? none : vm_vocab_bytes(&((const vm_bytepair_t *) t)->vocab, id);
}


static vm_str_t
vm_bytepair_spelling(const vm_tokenizer_t *t, uint32_t id)
{
    return vm_vocab_piece(&((const vm_bytepair_t *) t)->vocab, id);
}


static int
vm_bytepair_special(const vm_tokenizer_t *t, uint32_t id)
{
    const vm_bytepair_t  *b;

    b = (const vm_bytepair_t *) t;

    return (b->vocab.tokens[id].flags & VM_VOCAB_SPECIAL) != 0;
}


static void
vm_bytepair_free(vm_tokenizer_t *t)
{
    vm_bytepair_t  *b;

    b = (vm_bytepair_t *) t;

    vm_vocab_free(&b->vocab);
    vm_merges_free(&b->merges);
    vm_added_free(&b->added);
    vm_added_free(&b->added_normal);
    free(b);
}
