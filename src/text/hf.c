/*
 * Hugging Face's tokenizer.json: byte pair encoding from bytes (GPT-2, Llama 3,
 * Qwen) or from characters with byte tokens for those that the vocabulary has
 * not (Llama 2).  What is not known is refused: a tokenizer that cuts a little
 * differently would be worse than none.
 */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "load.h"
#include "unicode.h"


#define VM_HF_DEPTH  8                /* sequences in sequences */


typedef int (*vm_hf_part_pt)(vm_load_t *l, json_t *o, const char *type);

typedef struct {
    const char       *type;
    vm_hf_part_pt   read;             /* NULL: nothing to do */
} vm_hf_part_t;


static int vm_hf_parts(vm_load_t *l, json_t *o, const char *what,
    const char *list, const vm_hf_part_t *parts, int depth);
static int vm_hf_normal(vm_load_t *l, vm_normal_e what, int part, int first,
    const char *from, const char *to);
static int vm_hf_compose(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_prepend(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_replace(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_byte_level(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_split(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_digits(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_metaspace(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_splitter(vm_load_t *l, const vm_split_t *split);
static int vm_hf_template(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_undo_byte_level(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_undo_replace(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_undo_fallback(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_undo_strip(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_undo_metaspace(vm_load_t *l, json_t *o, const char *type);
static int vm_hf_scheme(vm_load_t *l, json_t *o, const char **scheme);
static int vm_hf_model(vm_load_t *l, json_t *model);
static int vm_hf_vocab(vm_load_t *l, json_t *vocab);
static int vm_hf_merges(vm_load_t *l, json_t *merges);
static int vm_hf_added(vm_load_t *l, json_t *list);
static int vm_hf_one_added(vm_load_t *l, json_t *o);
static uint32_t vm_hf_find(const vm_bytepair_t *b, const char *s,
    size_t len);
static void vm_hf_token(vm_bytepair_t *b, uint32_t id, const char *text,
    size_t len, int indexed, uint32_t flags);
static void vm_hf_symbols(vm_bytepair_t *b);
static int vm_hf_ends(vm_load_t *l, json_t *root, const vm_str_t *config);
static uint32_t vm_hf_named(const vm_bytepair_t *b, const char *text);
static const char *vm_hf_text(json_t *o, const char *key);


static const vm_hf_part_t  vm_hf_normalizers[] = {
    { "NFC", vm_hf_compose },
    { "Prepend", vm_hf_prepend },
    { "Replace", vm_hf_replace },
    { NULL, NULL }
};

static const vm_hf_part_t  vm_hf_pre_tokenizers[] = {
    { "ByteLevel", vm_hf_byte_level },
    { "Split", vm_hf_split },
    { "Digits", vm_hf_digits },
    { "Metaspace", vm_hf_metaspace },
    { NULL, NULL }
};

static const vm_hf_part_t  vm_hf_post_processors[] = {
    { "ByteLevel", NULL },
    { "TemplateProcessing", vm_hf_template },
    { NULL, NULL }
};

static const vm_hf_part_t  vm_hf_decoders[] = {
    { "ByteLevel", vm_hf_undo_byte_level },
    { "Replace", vm_hf_undo_replace },
    { "ByteFallback", vm_hf_undo_fallback },
    { "Fuse", NULL },
    { "Strip", vm_hf_undo_strip },
    { "Metaspace", vm_hf_undo_metaspace },
    { NULL, NULL }
};

/* What ends a text, where no tokenizer_config.json says it. */

static const char *const  vm_hf_eos[] = {
    "</s>", "<|eot_id|>", "<|im_end|>", "<|end_of_text|>", "<|endoftext|>",
    "<eos>", "<|return|>", "<\xef\xbd\x9c" "end\xe2\x96\x81of\xe2\x96\x81"
    "sentence\xef\xbd\x9c>", "<|end|>", "[EOS]"
};


int
vm_load_hf(vm_load_t *l, vm_str_t file, const vm_str_t *config)
{
    int            rc;
    json_t        *o, *root;
    json_error_t   error;

    root = json_loadb(file.data, file.len, 0, &error);

    if (root == NULL) {
        return vm_load_fail(l, "no JSON: line %d: %s", error.line,
                            error.text);
    }

    o = json_object_get(root, "model");

    if (!json_is_object(root) || !json_is_object(o)) {
        json_decref(root);
        return vm_load_fail(l, "\"model\" is missing");
    }

    rc = vm_hf_parts(l, json_object_get(root, "normalizer"), "normalizer",
                       "normalizers", vm_hf_normalizers, 0);

    if (rc == VM_OK) {
        rc = vm_hf_parts(l, json_object_get(root, "pre_tokenizer"),
                           "pre_tokenizer", "pretokenizers",
                           vm_hf_pre_tokenizers, 0);
    }

    l->b->vocab.by_piece = !l->b->common.byte_level;

    if (rc == VM_OK) {
        rc = vm_hf_parts(l, json_object_get(root, "decoder"), "decoder",
                           "decoders", vm_hf_decoders, 0);
    }

    if (rc == VM_OK
        && (json_object_get(root, "decoder") == NULL
            || json_is_null(json_object_get(root, "decoder"))))
    {
        rc = vm_load_fail(l, "\"decoder\" is missing");
    }

    if (rc == VM_OK) {
        rc = vm_hf_model(l, o);
    }

    if (rc == VM_OK) {
        rc = vm_hf_added(l, json_object_get(root, "added_tokens"));
    }

    if (rc == VM_OK) {
        rc = vm_hf_parts(l, json_object_get(root, "post_processor"),
                           "post_processor", "processors",
                           vm_hf_post_processors, 0);
    }

    if (rc == VM_OK) {
        rc = vm_hf_ends(l, root, config);
    }

    json_decref(root);

    return rc;
}


/* A part of the file: null, an object by its type, or a sequence of them. */

static int
vm_hf_parts(vm_load_t *l, json_t *o, const char *what, const char *list,
    const vm_hf_part_t *parts, int depth)
{
    size_t       i;
    json_t      *item;
    const char  *type;

    if (o == NULL || json_is_null(o)) {
        return VM_OK;
    }

    type = vm_hf_text(o, "type");

    if (strcmp(type, "Sequence") == 0 && depth < VM_HF_DEPTH) {

        json_array_foreach(json_object_get(o, list), i, item) {
            if (vm_hf_parts(l, item, what, list, parts, depth + 1)
                != VM_OK)
            {
                return VM_ERROR;
            }
        }

        return VM_OK;
    }

    for (i = 0; parts[i].type; i++) {
        if (strcmp(parts[i].type, type) == 0) {
            return parts[i].read ? parts[i].read(l, o, type) : VM_OK;
        }
    }

    return vm_load_fail(l, "the %s \"%.40s\" is not known", what, type);
}


/* ---- normalizers ---- */

static int
vm_hf_normal(vm_load_t *l, vm_normal_e what, int part, int first,
    const char *from, const char *to)
{
    uint32_t       *n;
    vm_normal_t    *step;

    n = part ? &l->b->npart : &l->b->nsteps;

    if (*n == VM_BYTEPAIR_STEPS || strlen(from) >= sizeof(step->from)
        || strlen(to) >= sizeof(step->to))
    {
        return vm_load_fail(l, "a normalizer has too many steps or too long "
                            "a text");
    }

    step = (part ? l->b->part : l->b->steps) + (*n)++;
    step->what = what;
    step->first = first != 0;
    strcpy(step->from, from);
    strcpy(step->to, to);

    return VM_OK;
}


static int
vm_hf_compose(vm_load_t *l, json_t *o, const char *type)
{
    (void) o;
    (void) type;

    return vm_hf_normal(l, VM_NORMAL_COMPOSE, 0, 0, "", "");
}


static int
vm_hf_prepend(vm_load_t *l, json_t *o, const char *type)
{
    (void) type;

    return vm_hf_normal(l, VM_NORMAL_PREPEND, 0, 0, "",
                          vm_hf_text(o, "prepend"));
}


static int
vm_hf_replace(vm_load_t *l, json_t *o, const char *type)
{
    const char  *from;

    from = vm_hf_text(json_object_get(o, "pattern"), "String");

    if (*from == '\0') {
        return vm_load_fail(l, "the normalizer \"%s\" is known for a string "
                            "only", type);
    }

    return vm_hf_normal(l, VM_NORMAL_REPLACE, 0, 0, from,
                          vm_hf_text(o, "content"));
}


/* ---- pre-tokenizers ---- */

static int
vm_hf_byte_level(vm_load_t *l, json_t *o, const char *type)
{
    json_t  *use;

    (void) type;

    if (json_is_true(json_object_get(o, "add_prefix_space"))) {

        if (l->b->nsplits) {
            return vm_load_fail(l, "the pre_tokenizer \"ByteLevel\" has "
                                "add_prefix_space behind another one");
        }

        if (vm_hf_normal(l, VM_NORMAL_PREFIX, 1, 0, "", " ") != VM_OK) {
            return VM_ERROR;
        }
    }

    if (l->b->common.byte_level) {
        return vm_load_fail(l, "the pre_tokenizer \"ByteLevel\" is there "
                            "twice");
    }

    l->b->common.byte_level = 1;
    use = json_object_get(o, "use_regex");

    return json_is_false(use) ? VM_OK
                              : vm_hf_splitter(l, vm_split_named("gpt2"));
}


static int
vm_hf_split(vm_load_t *l, json_t *o, const char *type)
{
    int                invert;
    json_t            *pattern;
    const char        *behavior, *text;
    const vm_split_t  *split;

    pattern = json_object_get(o, "pattern");
    behavior = vm_hf_text(o, "behavior");
    invert = json_is_true(json_object_get(o, "invert"));

    text = vm_hf_text(pattern, "String");

    /* spaces, of which the normalizer leaves none */

    if (strcmp(text, " ") == 0 && l->b->nsteps
        && l->b->steps[l->b->nsteps - 1].what == VM_NORMAL_REPLACE
        && strcmp(l->b->steps[l->b->nsteps - 1].from, " ") == 0)
    {
        return VM_OK;
    }

    text = vm_hf_text(pattern, "Regex");
    split = vm_split_pattern(text);

    if (split == NULL) {
        return vm_load_fail(l, "the pre_tokenizer \"%s\" has an unknown "
                            "pattern: %.300s", type,
                            *text ? text : vm_hf_text(pattern, "String"));
    }

    if (!(strcmp(behavior, "Isolated") == 0 && !invert)
        && !(strcmp(behavior, "Removed") == 0 && invert))
    {
        return vm_load_fail(l, "the pre_tokenizer \"%s\" has an unknown "
                            "behavior \"%.40s\"", type, behavior);
    }

    return vm_hf_splitter(l, split);
}


static int
vm_hf_digits(vm_load_t *l, json_t *o, const char *type)
{
    (void) type;

    return vm_hf_splitter(l, vm_split_named(
                                   json_is_true(json_object_get(o,
                                       "individual_digits"))
                                   ? "digit" : "digits"));
}


static int
vm_hf_metaspace(vm_load_t *l, json_t *o, const char *type)
{
    const char  *scheme;

    (void) type;

    if (vm_hf_scheme(l, o, &scheme) != VM_OK
        || vm_hf_normal(l, VM_NORMAL_REPLACE, 1, 0, " ", VM_SPACE_MARK)
           != VM_OK)
    {
        return VM_ERROR;
    }

    if (strcmp(scheme, "never") != 0
        && vm_hf_normal(l, VM_NORMAL_PREFIX, 1,
                          strcmp(scheme, "first") == 0, "", VM_SPACE_MARK)
           != VM_OK)
    {
        return VM_ERROR;
    }

    return json_is_false(json_object_get(o, "split"))
           ? VM_OK : vm_hf_splitter(l, vm_split_named("spaces"));
}


/* How a Metaspace, of either kind, puts a space before a text. */

static int
vm_hf_scheme(vm_load_t *l, json_t *o, const char **scheme)
{
    const char  *mark;

    mark = vm_hf_text(o, "replacement");

    if (strcmp(mark, VM_SPACE_MARK) != 0) {
        return vm_load_fail(l, "\"Metaspace\" has an unknown replacement "
                            "\"%.20s\"", mark);
    }

    *scheme = vm_hf_text(o, "prepend_scheme");

    if (**scheme == '\0') {
        *scheme = json_is_false(json_object_get(o, "add_prefix_space"))
                  ? "never" : "always";
    }

    if (strcmp(*scheme, "always") != 0 && strcmp(*scheme, "first") != 0
        && strcmp(*scheme, "never") != 0)
    {
        return vm_load_fail(l, "\"Metaspace\" has an unknown prepend_scheme "
                            "\"%.40s\"", *scheme);
    }

    return VM_OK;
}


static int
vm_hf_splitter(vm_load_t *l, const vm_split_t *split)
{
    if (l->b->nsplits == VM_BYTEPAIR_SPLITS) {
        return vm_load_fail(l, "there are more than %d pre_tokenizers",
                            VM_BYTEPAIR_SPLITS);
    }

    l->b->splits[l->b->nsplits++] = split;

    return VM_OK;
}


/* ---- post-processors: the token that begins a prompt ---- */

static int
vm_hf_template(vm_load_t *l, json_t *o, const char *type)
{
    int          behind;
    size_t       i;
    json_t      *ids, *item, *list, *special;
    const char  *name;

    list = json_object_get(o, "single");
    behind = 0;

    json_array_foreach(list, i, item) {
        special = json_object_get(item, "SpecialToken");

        if (special == NULL) {
            behind = 1;
            continue;
        }

        name = vm_hf_text(special, "id");
        ids = json_object_get(json_object_get(json_object_get(o,
                                              "special_tokens"), name),
                              "ids");

        if (behind || l->b->common.bos != VM_NEVER
            || json_array_size(ids) != 1)
        {
            return vm_load_fail(l, "the post_processor \"%s\" puts more than "
                                "one token before a text, or one behind it",
                                type);
        }

        l->b->common.bos = (uint32_t) json_integer_value(
                                          json_array_get(ids, 0));

        if (json_integer_value(json_array_get(ids, 0)) < 0
            || json_integer_value(json_array_get(ids, 0))
               >= (json_int_t) l->b->vocab.n)
        {
            return vm_load_fail(l, "the post_processor \"%s\" has a token "
                                "that is none of the vocabulary", type);
        }
    }

    return VM_OK;
}


/* ---- decoders ---- */

static int
vm_hf_undo_byte_level(vm_load_t *l, json_t *o, const char *type)
{
    (void) o;

    return l->b->common.byte_level ? VM_OK
                            : vm_load_fail(l, "the decoder \"%s\" does not "
                                           "go with the pre_tokenizer", type);
}


static int
vm_hf_undo_replace(vm_load_t *l, json_t *o, const char *type)
{
    if (strcmp(vm_hf_text(json_object_get(o, "pattern"), "String"),
               VM_SPACE_MARK) != 0
        || strcmp(vm_hf_text(o, "content"), " ") != 0 || l->b->common.byte_level)
    {
        return vm_load_fail(l, "the decoder \"%s\" is known for U+2581 by a "
                            "space only", type);
    }

    return VM_OK;
}


static int
vm_hf_undo_fallback(vm_load_t *l, json_t *o, const char *type)
{
    (void) o;

    if (l->b->common.byte_level) {
        return vm_load_fail(l, "the decoder \"%s\" does not go with the "
                            "pre_tokenizer", type);
    }

    l->b->common.byte_tokens = 1;

    return VM_OK;
}


static int
vm_hf_undo_strip(vm_load_t *l, json_t *o, const char *type)
{
    json_int_t  start, stop;

    start = json_integer_value(json_object_get(o, "start"));
    stop = json_integer_value(json_object_get(o, "stop"));

    if (strcmp(vm_hf_text(o, "content"), " ") != 0 || stop || start < 0
        || start > 1)
    {
        return vm_load_fail(l, "the decoder \"%s\" is known for a space at "
                            "the start only", type);
    }

    l->b->common.strip = (uint32_t) start;

    return VM_OK;
}


static int
vm_hf_undo_metaspace(vm_load_t *l, json_t *o, const char *type)
{
    const char  *scheme;

    if (l->b->common.byte_level) {
        return vm_load_fail(l, "the decoder \"%s\" does not go with the "
                            "pre_tokenizer", type);
    }

    if (vm_hf_scheme(l, o, &scheme) != VM_OK) {
        return VM_ERROR;
    }

    l->b->common.strip = strcmp(scheme, "never") == 0 ? 0 : VM_NEVER;

    return VM_OK;
}


/* ---- the model ---- */

static int
vm_hf_model(vm_load_t *l, json_t *model)
{
    size_t       i;
    json_t      *o;
    const char  *text;

    static const char *const  affixes[] = {
        "continuing_subword_prefix", "end_of_word_suffix"
    };

    o = json_object_get(model, "type");
    text = o ? vm_hf_text(model, "type") : "BPE";

    if (strcmp(text, "BPE") != 0
        || !json_is_array(json_object_get(model, "merges")))
    {
        return vm_load_fail(l, "the model \"%.40s\" is not known: BPE", text);
    }

    o = json_object_get(model, "dropout");

    if (json_number_value(o) != 0) {
        return vm_load_fail(l, "a model with dropout is not known");
    }

    for (i = 0; i < vm_nelts(affixes); i++) {
        if (*vm_hf_text(model, affixes[i])) {
            return vm_load_fail(l, "a model with %s is not known",
                                affixes[i]);
        }
    }

    l->b->ignore_merges = json_is_true(json_object_get(model,
                                                       "ignore_merges"));
    l->b->fallback = json_is_true(json_object_get(model, "byte_fallback"))
                     && !l->b->common.byte_level;
    l->b->fuse_unk = json_is_true(json_object_get(model, "fuse_unk"));

    if (vm_hf_vocab(l, json_object_get(model, "vocab")) != VM_OK) {
        return VM_ERROR;
    }

    text = vm_hf_text(model, "unk_token");

    if (*text) {
        l->b->unk = vm_hf_find(l->b, text, strlen(text));

        if (l->b->unk == VM_NEVER) {
            return vm_load_fail(l, "the unk_token \"%.40s\" is not in the "
                                "vocabulary", text);
        }
    }

    vm_hf_symbols(l->b);

    return vm_hf_merges(l, json_object_get(model, "merges"));
}


static int
vm_hf_vocab(vm_load_t *l, json_t *vocab)
{
    json_t      *value;
    json_int_t   id;
    const char  *key;

    json_object_foreach(vocab, key, value) {
        id = json_integer_value(value);

        if (!json_is_integer(value) || id < 0
            || id >= (json_int_t) VM_VOCAB_MAX)
        {
            return vm_load_fail(l, "the vocabulary's \"%.40s\" has no id from "
                                "0 to %u", key, VM_VOCAB_MAX - 1);
        }

        if (id < (json_int_t) l->b->vocab.n
            && vm_vocab_piece(&l->b->vocab, (uint32_t) id).len)
        {
            return vm_load_fail(l, "the vocabulary has the id %u twice",
                                (uint32_t) id);
        }

        vm_hf_token(l->b, (uint32_t) id, key, strlen(key), 1, 0);

        if (l->b->vocab.failed) {
            return vm_load_fail(l, "no memory");
        }
    }

    return l->b->vocab.n ? VM_OK
                         : vm_load_fail(l, "the model has no vocabulary");
}


/* What a token is in a text, by how it is spelled. */

static void
vm_hf_token(vm_bytepair_t *b, uint32_t id, const char *text, size_t len,
    int indexed, uint32_t flags)
{
    vm_buf_t  bytes;
    vm_str_t  piece, s;

    vm_buf_init(&bytes);

    piece.data = text;
    piece.len = len;

    if (b->common.byte_level) {
        indexed &= vm_byte_read(piece, &bytes) == VM_OK;

    } else {
        vm_mark_read(piece, b->common.byte_tokens, &bytes);
    }

    s.data = bytes.data ? bytes.data : "";
    s.len = bytes.len;

    vm_vocab_set(&b->vocab, id, s, piece, flags);
    b->vocab.failed |= bytes.failed;
    vm_buf_free(&bytes);

    if (indexed && !b->vocab.failed) {
        vm_vocab_index(&b->vocab, id);
    }
}


/* The token that is spelled so. */

static uint32_t
vm_hf_find(const vm_bytepair_t *b, const char *s, size_t len)
{
    uint32_t  id;
    vm_buf_t  bytes;
    vm_str_t  piece;

    if (!b->common.byte_level) {
        return vm_vocab_find(&b->vocab, s, len);
    }

    piece.data = s;
    piece.len = len;
    id = VM_NEVER;

    vm_buf_init(&bytes);

    if (vm_byte_read(piece, &bytes) == VM_OK && bytes.data) {
        id = vm_vocab_find(&b->vocab, bytes.data, bytes.len);
    }

    vm_buf_free(&bytes);

    return id;
}


/* The tokens of single bytes. */

static void
vm_hf_symbols(vm_bytepair_t *b)
{
    char      text[8];
    size_t    len;
    unsigned  i;

    for (i = 0; i < 256; i++) {
        text[0] = (char) i;
        len = 1;

        if (!b->common.byte_level) {
            len = (size_t) snprintf(text, sizeof(text), "<0x%02X>", i);
        }

        b->symbols[i] = vm_vocab_find(&b->vocab, text, len);
    }
}


static int
vm_hf_merges(vm_load_t *l, json_t *merges)
{
    size_t          i, k, len[2];
    json_t         *item, *part;
    uint32_t        ids[3];
    vm_buf_t        both;
    const char     *side[2], *space;
    vm_bytepair_t  *b;

    b = l->b;
    vm_buf_init(&both);

    json_array_foreach(merges, i, item) {

        for (k = 0; k < 2; k++) {
            part = json_array_get(item, k);
            side[k] = json_string_value(part);
            len[k] = json_string_length(part);
        }

        if (json_is_string(item)) {         /* "left right" */
            side[0] = json_string_value(item);
            space = strchr(side[0], ' ');

            if (space) {
                side[1] = space + 1;
                len[0] = (size_t) (space - side[0]);
                len[1] = json_string_length(item) - len[0] - 1;
            }
        }

        if (side[0] == NULL || side[1] == NULL) {
            vm_buf_free(&both);
            return vm_load_fail(l, "merge %zu is no pair", i);
        }

        vm_buf_reset(&both);
        vm_buf_add(&both, side[0], len[0]);
        vm_buf_add(&both, side[1], len[1]);

        ids[0] = vm_hf_find(b, side[0], len[0]);
        ids[1] = vm_hf_find(b, side[1], len[1]);
        ids[2] = both.data ? vm_hf_find(b, both.data, both.len) : VM_NEVER;

        if (ids[0] == VM_NEVER || ids[1] == VM_NEVER || ids[2] == VM_NEVER) {
            vm_buf_free(&both);
            return vm_load_fail(l, "merge %zu: \"%.40s\" and \"%.40s\", or "
                                "both together, are not in the vocabulary", i,
                                side[0], side[1]);
        }

        vm_merges_add(&b->merges, ids[0], ids[1], (uint32_t) i, ids[2]);

        if (b->merges.failed) {
            vm_buf_free(&both);
            return vm_load_fail(l, "no memory");
        }
    }

    vm_buf_free(&both);

    return VM_OK;
}


/* ---- added tokens ---- */

static int
vm_hf_added(vm_load_t *l, json_t *list)
{
    size_t   i;
    json_t  *item;

    json_array_foreach(list, i, item) {
        if (vm_hf_one_added(l, item) != VM_OK) {
            return VM_ERROR;
        }
    }

    return VM_OK;
}


static int
vm_hf_one_added(vm_load_t *l, json_t *o)
{
    size_t          len;
    json_t         *value;
    uint32_t        id, known;
    unsigned        flags;
    vm_buf_t        normal;
    vm_str_t        piece, s;
    json_int_t      n;
    vm_added_t     *to;
    const char     *text;
    vm_bytepair_t  *b;

    b = l->b;
    value = json_object_get(o, "id");
    n = json_integer_value(value);
    text = vm_hf_text(o, "content");
    len = strlen(text);

    if (len == 0 || !json_is_integer(value) || n < 0
        || n >= (json_int_t) VM_VOCAB_MAX)
    {
        return vm_load_fail(l, "an added token has no content, or no id from "
                            "0 to %u", VM_VOCAB_MAX - 1);
    }

    known = vm_hf_find(b, text, len);
    id = known == VM_NEVER ? (uint32_t) n : known;

    if (id < b->vocab.n) {
        piece = vm_vocab_piece(&b->vocab, id);

        if (piece.len
            && (piece.len != len || memcmp(piece.data, text, len) != 0))
        {
            return vm_load_fail(l, "the added token \"%.40s\" has the id %u "
                                "of another one", text, id);
        }
    }

    flags = json_is_true(json_object_get(o, "special")) ? VM_VOCAB_SPECIAL
                                                        : 0;

    /* one that is looked for in normalized text is normalized itself */

    to = &b->added;
    vm_buf_init(&normal);
    vm_buf_add(&normal, text, len);

    if (json_is_true(json_object_get(o, "normalized")) && b->nsteps) {
        to = &b->added_normal;
        vm_buf_reset(&normal);
        vm_normal_apply(b->steps, b->nsteps, 1, 0, text, len, &normal);
    }

    s.data = normal.data ? normal.data : "";
    s.len = normal.len;

    if (known == VM_NEVER) {
        vm_hf_token(b, id, s.data, s.len, 0, flags);

    } else {
        b->vocab.tokens[id].flags |= flags;
    }

    flags = (json_is_true(json_object_get(o, "single_word"))
             ? VM_ADDED_SINGLE : 0)
            | (json_is_true(json_object_get(o, "lstrip"))
               ? VM_ADDED_LSTRIP : 0)
            | (json_is_true(json_object_get(o, "rstrip"))
               ? VM_ADDED_RSTRIP : 0);

    vm_added_set(to, s, id, flags);
    to->failed |= normal.failed;
    vm_buf_free(&normal);

    return b->vocab.failed || b->added.failed || b->added_normal.failed
           ? vm_load_fail(l, "no memory") : VM_OK;
}


/* ---- the token that ends a text ---- */

static int
vm_hf_ends(vm_load_t *l, json_t *root, const vm_str_t *config)
{
    size_t         i;
    json_t        *item, *o, *value;
    const char    *text;
    json_error_t   error;

    if (config) {
        o = json_loadb(config->data, config->len, JSON_DECODE_INT_AS_REAL,
                       &error);

        if (!json_is_object(o)) {
            json_decref(o);
            return vm_load_fail(l, "its tokenizer_config.json is no JSON "
                                "object: line %d: %s", error.line,
                                error.text);
        }

        value = json_object_get(o, "eos_token");
        text = json_is_string(value) ? json_string_value(value)
                                     : vm_hf_text(value, "content");

        if (*text) {
            l->b->common.eos = vm_hf_named(l->b, text);

            if (l->b->common.eos == VM_NEVER) {
                (void) vm_load_fail(l, "the eos_token \"%.40s\" of its "
                                    "tokenizer_config.json is not in the "
                                    "vocabulary", text);
                json_decref(o);
                return VM_ERROR;
            }
        }

        json_decref(o);
    }

    for (i = 0; i < vm_nelts(vm_hf_eos)
                && l->b->common.eos == VM_NEVER; i++)
    {
        l->b->common.eos = vm_hf_named(l->b, vm_hf_eos[i]);
    }

    json_array_foreach(json_object_get(root, "added_tokens"), i, item) {
        if (l->b->common.eos == VM_NEVER
            && json_is_true(json_object_get(item, "special")))
        {
            l->b->common.eos = vm_hf_named(l->b,
                                             vm_hf_text(item, "content"));
        }
    }

    return l->b->common.eos == VM_NEVER
           ? vm_load_fail(l, "there is no special token that could end a "
                          "text")
           : VM_OK;
}


/* The special token that is spelled so. */

static uint32_t
vm_hf_named(const vm_bytepair_t *b, const char *text)
{
    size_t    len;
    uint32_t  id;
    vm_str_t  s;

    len = strlen(text);

    for (id = b->vocab.n; id-- > 0; /* void */ ) {
        s = vm_vocab_piece(&b->vocab, id);

        if (s.len == len && memcmp(s.data, text, len) == 0) {
            return id;
        }
    }

    return VM_NEVER;
}


/* A string of an object, "" if there is none. */

static const char *
vm_hf_text(json_t *o, const char *key)
{
    const char  *s;

    s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}
