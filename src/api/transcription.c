/*
 * Speech to text.  What is heard is words of the module's own, as many as
 * speech of that length has; a file is cut into pieces of 30 seconds, which
 * are requests of their own to the engine, as in vLLM.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include "form.h"
#include "params.h"
#include "pieces.h"
#include "transcription.h"
#include "wav.h"
#include "../base/rand.h"


typedef struct {
    vm_params_t    params;          /* the first: rows are vm_param() */

    const json_t  *language;
    const json_t  *text;            /* the field "prompt" */
    const json_t  *to_language;
    vm_any_t       format;
    uint8_t        usage;
    uint8_t        usage_continuous;

    double         seconds;
    uint32_t       at;              /* the piece that is being streamed */
} vm_heard_t;

#define vm_heard_row(name, type, flags, field)                                \
    { name, &type, flags, offsetof(vm_heard_t, field), 0, NULL }


/* ---- requests ---- */

static const char *const  vm_heard_formats[] = {
    "json", "text", "srt", "verbose_json", "vtt", NULL
};

static const char *const  vm_heard_more_formats[] = { "diarized_json", NULL };

static const vm_type_t  vm_heard_plain_type = {
    .kind = VM_T_LITERAL, .values = vm_heard_formats
};

static const vm_type_t  vm_heard_diarized_type = {
    .kind = VM_T_LITERAL, .values = vm_heard_more_formats
};

static const vm_type_t *const  vm_heard_format_branches[] = {
    &vm_heard_plain_type, &vm_heard_diarized_type, NULL
};

static const vm_type_t *const  vm_said_format_branches[] = {
    &vm_heard_plain_type, NULL
};

/* a transcription's, a translation's */

static const vm_type_t  vm_heard_format_type = {
    .kind = VM_T_UNION, .branches = vm_heard_format_branches
};

static const vm_type_t  vm_said_format_type = {
    .kind = VM_T_UNION, .branches = vm_said_format_branches
};

static const char *const  vm_heard_grains[] = { "word", "segment", NULL };

static const vm_type_t  vm_heard_grain_type = {
    .kind = VM_T_LITERAL, .values = vm_heard_grains
};

static const vm_type_t  vm_heard_grains_type = {
    .kind = VM_T_LIST, .item = &vm_heard_grain_type
};

#define VM_HEARD_FILE                                                         \
    { "file", &vm_any_type, VM_F_CHECK|VM_F_REQUIRED|VM_F_NOTNULL, 0, 0,      \
      NULL },                                                                 \
    vm_param(model, vm_str_type, 0, 0)

#define VM_HEARD_LANGUAGE                                                     \
    vm_heard_row("language", vm_str_type, 0, language),                       \
    { "hotwords", &vm_str_type, VM_F_CHECK, 0, 0, NULL }

#define VM_HEARD_STREAM                                                       \
    vm_param(stream, vm_bool_type, 0, 0),                                     \
    vm_heard_row("stream_include_usage", vm_bool_type, 0, usage),             \
    vm_heard_row("stream_continuous_usage_stats", vm_bool_type, 0,            \
                 usage_continuous)

#define VM_HEARD_BEAM                                                         \
    vm_param(use_beam_search, vm_bool_type, VM_F_NOTNULL, 0),                 \
    vm_param(n, vm_int_type, VM_F_NOTNULL, 1),                                \
    vm_param(length_penalty, vm_float_type, VM_F_NOTNULL, 1),                 \
    vm_param(include_stop_str_in_output, vm_bool_type, VM_F_NOTNULL, 0)

#define VM_HEARD_SAMPLING                                                     \
    vm_param(temperature, vm_float_type, VM_F_NOTNULL, 0),                    \
    vm_param(watermarking, vm_bool_type, 0, 0),                               \
    vm_param(top_p, vm_float_type, 0, 1),                                     \
    vm_param(top_k, vm_int_type, 0, 0),                                       \
    vm_param(min_p, vm_float_type, 0, 0)

#define VM_HEARD_PENALTIES                                                    \
    vm_param(frequency_penalty, vm_float_type, 0, 0),                         \
    vm_param(repetition_penalty, vm_float_type, 0, 1),                        \
    vm_param(presence_penalty, vm_float_type, 0, 0)

#define VM_HEARD_SEED  vm_param(seed, vm_int64_type, 0, 0)
#define VM_HEARD_MAX   vm_param(max_completion_tokens, vm_int_type, 0, 0)
#define VM_HEARD_XARGS vm_param(vllm_xargs, vm_xargs_type, 0, 0)
#define VM_HEARD_TO    vm_heard_row("to_language", vm_str_type, 0, to_language)

static const vm_field_t  vm_heard_fields[] = {
    VM_HEARD_FILE,
    VM_HEARD_LANGUAGE,
    vm_heard_row("prompt", vm_str_type, VM_F_NOTNULL, text),
    vm_heard_row("response_format", vm_heard_format_type, VM_F_NOTNULL,
                 format),
    { "timestamp_granularities[]", &vm_heard_grains_type,
      VM_F_CHECK|VM_F_NOTNULL, 0, 0, NULL },
    VM_HEARD_STREAM,
    VM_HEARD_XARGS,
    VM_HEARD_TO,
    VM_HEARD_BEAM,
    VM_HEARD_SAMPLING,
    VM_HEARD_SEED,
    VM_HEARD_PENALTIES,
    VM_HEARD_MAX,
    vm_field_end
};

static const vm_field_t  vm_said_fields[] = {
    VM_HEARD_FILE,
    vm_heard_row("prompt", vm_str_type, VM_F_NOTNULL, text),
    vm_heard_row("response_format", vm_said_format_type, VM_F_NOTNULL,
                 format),
    VM_HEARD_BEAM,
    VM_HEARD_SEED,
    VM_HEARD_SAMPLING,
    VM_HEARD_PENALTIES,
    VM_HEARD_LANGUAGE,
    VM_HEARD_TO,
    VM_HEARD_STREAM,
    VM_HEARD_MAX,
    VM_HEARD_XARGS,
    vm_field_end
};

static const vm_type_t  vm_heard_type = {
    .kind = VM_T_MODEL, .fields = vm_heard_fields
};

static const vm_type_t  vm_said_type = {
    .kind = VM_T_MODEL, .fields = vm_said_fields
};


/* What a form that leaves it out counts as, before anything is looked at. */

static const struct {
    const char  *name;
    const char  *value;
    unsigned     transcription;     /* not a translation's */
} vm_heard_defaults[] = {
    { "prompt", "\"\"", 0 },
    { "response_format", "\"json\"", 0 },
    { "timestamp_granularities[]", "[]", 1 },
    { "stream", "false", 0 },
    { "stream_include_usage", "false", 0 },
    { "stream_continuous_usage_stats", "false", 0 },
    { "use_beam_search", "false", 0 },
    { "n", "1", 0 },
    { "length_penalty", "1.0", 0 },
    { "include_stop_str_in_output", "false", 0 },
    { "temperature", "0.0", 0 },
    { "frequency_penalty", "0.0", 0 },
    { "presence_penalty", "0.0", 0 }
};


static json_t *
vm_heard_body(const json_t *form, int translation)
{
    size_t   i;
    json_t  *o;

    o = json_is_object(form) ? json_copy((json_t *) (uintptr_t) form)
                             : json_object();

    for (i = 0; o && i < vm_nelts(vm_heard_defaults); i++) {

        if (json_object_get(o, vm_heard_defaults[i].name) == NULL
            && !(translation && vm_heard_defaults[i].transcription))
        {
            json_object_set_new(o, vm_heard_defaults[i].name,
                                json_loads(vm_heard_defaults[i].value,
                                           JSON_DECODE_ANY, NULL));
        }
    }

    return o;
}


/* ---- rules on the whole form ---- */

static int
vm_heard_rule_file(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    (void) pool;

    if (json_is_string(json_object_get(body, "file"))) {
        return vm_error_set(e, 422, "Unprocessable Entity", NULL,
                            "Expected 'file' to be a file-like object, not "
                            "'str'.");
    }

    return VM_OK;
}


static int
vm_heard_rule_stream(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    size_t                    i;
    static const char *const  names[] = {
        "stream_include_usage", "stream_continuous_usage_stats"
    };

    for (i = 0; i < vm_nelts(names) && !vm_rule_true(body, "stream"); i++) {

        if (vm_rule_true(body, names[i])) {
            return vm_error_param(e, pool, names[i], "Stream options can only "
                                  "be defined when `stream=True`.");
        }
    }

    return VM_OK;
}


/* A form has it as JSON inside of a string. */

static int
vm_heard_rule_xargs(const json_t *body, vm_error_t *e, vm_pool_t *pool)
{
    json_t     *xargs;
    vm_json_t   j;

    xargs = json_object_get(body, "vllm_xargs");

    if (!json_is_string(xargs)) {
        return VM_OK;
    }

    switch (vm_json_load(&j, json_string_value(xargs),
                         json_string_length(xargs)))
    {
    case VM_JSON_OK:
        json_object_set_new((json_t *) (uintptr_t) body, "vllm_xargs",
                            j.value);
        return VM_OK;

    case VM_JSON_INVALID:
        return vm_error_param(e, pool, "vllm_xargs",
                              vm_pool_printf(pool, "Failed to parse "
                                  "vllm_xargs. Must be valid JSON: %s: line 1 "
                                  "column %zu (char %zu)", j.error, j.pos + 1,
                                  j.pos));

    default:
        return vm_error_param(e, pool, "vllm_xargs", "Failed to parse "
                              "vllm_xargs. Must be valid JSON");
    }
}


static const vm_rule_pt  vm_heard_rules[] = {
    vm_heard_rule_file,
    vm_heard_rule_stream,
    vm_heard_rule_xargs,
    NULL
};


/* ---- from a request to a generation ---- */

static const char *
vm_heard_format(const vm_heard_t *q)
{
    return json_string_value(q->format.json);
}


static int
vm_heard_formatted(vm_generation_t *g, const vm_heard_t *q)
{
    const char  *format;
    vm_error_t  *e;

    e = &g->call->error;
    format = vm_heard_format(q);

    if (strcmp(format, "srt") == 0 || strcmp(format, "vtt") == 0) {
        return vm_error_bad(e, "Currently only support response_format: "
                            "`text`, `json`, `verbose_json` or "
                            "`diarized_json`");
    }

    if (strcmp(format, "diarized_json") == 0) {
        return vm_error_printf(e, g->pool, 400, "BadRequestError", NULL,
                               "Currently do not support diarized_json for "
                               "%.*s", (int) g->model.len, g->model.data);
    }

    if (strcmp(format, "verbose_json") == 0 && g->params.stream) {
        return vm_error_bad(e, "verbose_json format doesn't support streaming "
                            "case");
    }

    return VM_OK;
}


/* Those that vLLM knows Whisper to be good at, and that it tells. */

static const char *const  vm_languages[] = {
    "af", "ar", "hy", "az", "be", "bs", "bg", "ca", "zh", "hr", "cs", "da",
    "nl", "en", "et", "fi", "fr", "gl", "de", "el", "he", "hi", "hu", "is",
    "id", "it", "ja", "kn", "kk", "ko", "lv", "lt", "mk", "ms", "mr", "mi",
    "ne", "no", "fa", "pl", "pt", "ro", "ru", "sr", "sk", "sl", "es", "sw",
    "sv", "tl", "ta", "th", "tr", "uk", "ur", "vi", "cy", NULL
};

/* Those that it takes all the same. */

static const char *const  vm_more_languages[] = {
    "la", "ml", "te", "bn", "br", "eu", "mn", "sq", "pa", "si", "km", "sn",
    "yo", "so", "oc", "ka", "tg", "sd", "gu", "am", "yi", "lo", "uz", "fo",
    "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "mg", "as", "tt",
    "haw", "ln", "ha", "ba", "jw", "su", "yue", NULL
};


static int
vm_heard_listed(const char *const *list, const char *s)
{
    while (*list && strcmp(*list, s) != 0) {
        list++;
    }

    return *list != NULL;
}


static int
vm_heard_language(vm_generation_t *g, const json_t *language)
{
    size_t       i;
    vm_buf_t     b;
    const char  *s;

    s = language ? json_string_value(language) : NULL;

    if (s == NULL || vm_heard_listed(vm_languages, s)
        || vm_heard_listed(vm_more_languages, s))
    {
        return VM_OK;
    }

    vm_buf_init(&b);
    vm_buf_lit(&b, "Unsupported language: ");
    vm_value_repr_str(&b, s, strlen(s));
    vm_buf_lit(&b, ".  Must be one of [");

    for (i = 0; vm_languages[i]; i++) {
        vm_buf_printf(&b, "%s'%s'", i ? ", " : "", vm_languages[i]);
    }

    vm_buf_lit(&b, "].");
    vm_buf_char(&b, '\0');

    vm_error_printf(&g->call->error, g->pool, 400, "BadRequestError", NULL,
                    "%s", b.failed ? "" : b.data);
    vm_buf_free(&b);

    return VM_ERROR;
}


/* How long the file is. */

static int
vm_heard_length(vm_generation_t *g, vm_heard_t *q, const vm_form_part_t *file)
{
    switch (vm_wav_seconds(file->data.data, file->data.len, &q->seconds)) {

    case VM_OK:
        break;

    case VM_DECLINED:
        if (file->data.len) {
            q->seconds = (double) file->data.len / VM_AUDIO_BYTE_RATE;
            break;
        }

        /* fall through */

    default:
        return vm_error_bad(&g->call->error,
                            "Invalid or unsupported audio file.");
    }

    if (q->seconds > VM_AUDIO_SECONDS) {
        return vm_error_printf(&g->call->error, g->pool, 400,
                               "BadRequestError", NULL, "Audio exceeds "
                               "maximum allowed duration of %ds (metadata "
                               "reports %.1fs). Set "
                               "VLLM_MAX_AUDIO_DECODE_DURATION_S to increase "
                               "this limit.", VM_AUDIO_SECONDS, q->seconds);
    }

    return VM_OK;
}


static int
vm_heard_size(vm_generation_t *g, const vm_form_part_t *file)
{
    char      *value;
    vm_buf_t   b;

    if (file->data.len <= VM_AUDIO_FILE * 1024 * 1024) {
        return VM_OK;
    }

    vm_buf_init(&b);
    vm_buf_double(&b, (double) file->data.len / (1024 * 1024));
    value = b.failed ? NULL : vm_pool_strdup(g->pool, b.data, b.len);
    vm_buf_free(&b);

    return value ? vm_error_text(&g->call->error, g->pool,
                                 "audio_filesize_mb", value,
                                 "Maximum file size exceeded")
                 : vm_error_memory(&g->call->error);
}


/* Seconds of a piece. */

static double
vm_heard_piece(const vm_heard_t *q, uint32_t piece)
{
    return vm_min(q->seconds - (double) piece * VM_AUDIO_CHUNK,
                  (double) VM_AUDIO_CHUNK);
}


/*
 * A piece's prompt: the text that came along, and placeholders of the sound
 * that follow from the file.  A model that is too short for them hears less.
 */

static int
vm_heard_prompt(vm_generation_t *g, const vm_heard_t *q, uint32_t piece,
    const vm_prompt_t *text, uint64_t key)
{
    uint32_t      i, *ids, n, rest;
    vm_prompt_t  *p;

    rest = (g->settings->max_model_len - text->n) / 2;
    n = (uint32_t) ceil(vm_heard_piece(q, piece) * VM_AUDIO_TOKENS);
    n = vm_max(vm_min(n, rest), 1);

    ids = vm_pool_alloc(g->pool, (text->n + n) * sizeof(uint32_t));

    if (ids == NULL) {
        return vm_error_memory(&g->call->error);
    }

    if (text->n) {
        memcpy(ids, text->ids, text->n * sizeof(uint32_t));
    }

    for (i = 0; i < n; i++) {
        ids[text->n + i] = (uint32_t) (vm_rand_at(key + piece, i)
                                       % g->settings->vocab);
    }

    p = &g->prompts[piece];
    p->ids = ids;
    p->n = text->n + n;

    return VM_OK;
}


static int
vm_heard_prompts(vm_generation_t *g, const vm_heard_t *q,
    const vm_form_part_t *file)
{
    uint32_t      i, *lengths, n;
    uint64_t      key;
    vm_prompt_t   text;

    n = (uint32_t) ceil(q->seconds / VM_AUDIO_CHUNK);
    n = vm_max(n, 1);

    memset(&text, 0, sizeof(vm_prompt_t));

    if (json_string_length(q->text)
        && vm_generation_prompt_text(g, &text, json_string_value(q->text),
                                     json_string_length(q->text), 0)
           != VM_OK)
    {
        return VM_ERROR;
    }

    g->prompts = vm_pool_calloc(g->pool, n, sizeof(vm_prompt_t));
    lengths = vm_pool_calloc(g->pool, n, sizeof(uint32_t));

    if (g->prompts == NULL || lengths == NULL) {
        return vm_error_memory(&g->call->error);
    }

    g->nprompts = n;
    g->lengths = lengths;
    key = vm_rand_bytes(file->data.data, file->data.len, 0);

    for (i = 0; i < n; i++) {

        if (vm_heard_prompt(g, q, i, &text, key) != VM_OK) {
            return VM_ERROR;
        }

        /* one that ends it, and never silence */

        lengths[i] = (uint32_t) ceil(vm_heard_piece(q, i) * VM_SPEECH_TOKENS);
        lengths[i] = vm_max(lengths[i], 1) + 1;
    }

    return VM_OK;
}


static int
vm_heard_parse(vm_generation_t *g, const json_t *form, int translation)
{
    vm_error_t            *e;
    vm_heard_t            *q;
    const vm_form_part_t  *file;

    e = &g->call->error;
    g->own = q = vm_pool_calloc(g->pool, 1, sizeof(vm_heard_t));
    g->body = vm_heard_body(form, translation);

    if (q == NULL || g->body == NULL) {
        return vm_error_memory(e);
    }

    if (vm_rules_check(vm_heard_rules, g->body, e, g->pool) != VM_OK
        || vm_model_load(translation ? &vm_said_type : &vm_heard_type,
                         g->body, "body", q, e, g->pool)
           != VM_OK)
    {
        return VM_ERROR;
    }

    g->params = q->params;
    file = vm_form_file(g->call->form, "file");

    if (file == NULL) {
        return vm_error_memory(e);
    }

    if (vm_heard_size(g, file) != VM_OK) {
        return VM_ERROR;
    }

    if (g->params.stream && g->params.use_beam_search) {
        return vm_error_bad(e, "Streaming is not currently supported with "
                               "beam search");
    }

    if (vm_generation_model(g, g->params.model) != VM_OK
        || vm_heard_formatted(g, q) != VM_OK
        || vm_heard_language(g, q->language) != VM_OK
        || vm_heard_language(g, json_string_length(q->to_language)
                                ? q->to_language : NULL)
           != VM_OK
        || vm_heard_length(g, q, file) != VM_OK
        || vm_heard_prompts(g, q, file) != VM_OK)
    {
        return VM_ERROR;
    }

    /* only beams have a number, and there is one answer all the same */

    g->params.n.v = 1;
    g->params.n.set = 0;
    g->params.skip_special_tokens = 1;

    if (vm_generation_sampling(g) != VM_OK) {
        return VM_ERROR;
    }

    g->stream = g->params.stream;
    g->include_usage = q->usage || g->settings->force_usage;
    g->continuous_usage = g->include_usage && q->usage_continuous;
    g->id = vm_generation_id(g, translation ? "translate-" : "transcribe-",
                             NULL);

    return g->id ? VM_OK : vm_error_memory(e);
}


static int
vm_transcription_parse(vm_generation_t *g, const json_t *form)
{
    return vm_heard_parse(g, form, 0);
}


static int
vm_translation_parse(vm_generation_t *g, const json_t *form)
{
    return vm_heard_parse(g, form, 1);
}


/* ---- answers ---- */

/* What stands between the texts of two pieces. */

static const char *
vm_heard_between(const vm_heard_t *q)
{
    const char  *s;

    s = q->language ? json_string_value(q->language) : "";

    return strcmp(s, "ja") == 0 || strcmp(s, "zh") == 0 ? "" : " ";
}


static void
vm_heard_text(const vm_generation_t *g, vm_buf_t *out)
{
    uint32_t   i;
    vm_buf_t   b;

    vm_buf_init(&b);

    for (i = 0; i < g->nchoices; i++) {
        vm_buf_str(&b, i ? vm_heard_between(g->own) : "");
        vm_buf_add(&b, g->choices[i].text.data, g->choices[i].text.len);
    }

    vm_buf_json(out, b.data ? b.data : "", b.len);
    out->failed |= b.failed;
    vm_buf_free(&b);
}


/* As Whisper's tokens tell it: in steps of 20 ms. */

static double
vm_heard_time(const vm_heard_t *q, const vm_choice_t *c, uint32_t token)
{
    double  seconds;

    seconds = vm_heard_piece(q, c->prompt);
    seconds = c->made ? seconds * token / c->made : seconds;

    return round(((double) c->prompt * VM_AUDIO_CHUNK + seconds) * 50) / 50;
}


/* How much smaller zlib makes it. */

static double
vm_heard_ratio(const char *s, size_t len)
{
    double    ratio;
    uLongf    size;
    Bytef    *packed;

    size = compressBound((uLong) len);
    packed = malloc(size);
    ratio = 0;

    if (packed && compress(packed, &size, (const Bytef *) s, (uLong) len)
                  == Z_OK)
    {
        ratio = (double) len / (double) size;
    }

    free(packed);

    return ratio;
}


/* Tokens from .. to - 1 of a piece. */

static void
vm_heard_segment(const vm_generation_t *g, const vm_choice_t *c, uint32_t id,
    uint32_t from, uint32_t to, vm_buf_t *out)
{
    uint32_t     i;
    vm_buf_t     text;
    vm_str_t     piece;
    vm_heard_t  *q;

    q = g->own;

    vm_buf_init(&text);

    for (i = from; i < to; i++) {
        piece = vm_tokenizer_bytes(g->settings->tokenizer,
                                   vm_generation_token(g, c, i));
        vm_buf_add(&text, piece.data, piece.len);
    }

    vm_buf_printf(out, "%s{\"id\":%u,\"avg_logprob\":", id ? "," : "", id);
    vm_buf_double(out, -0.05 - 0.4 * vm_rand_unit(vm_rand_at(c->writer.key,
                                                             from)));
    vm_buf_lit(out, ",\"compression_ratio\":");
    vm_buf_double(out, vm_heard_ratio(text.data ? text.data : "", text.len));
    vm_buf_lit(out, ",\"end\":");
    vm_buf_double(out, vm_heard_time(q, c, to));
    vm_buf_printf(out, ",\"no_speech_prob\":null,\"seek\":%u,\"start\":",
                  c->prompt * VM_AUDIO_CHUNK);
    vm_buf_double(out, vm_heard_time(q, c, from));
    vm_buf_lit(out, ",\"temperature\":");
    vm_buf_double(out, g->params.temperature.v);
    vm_buf_lit(out, ",\"text\":");
    vm_buf_json(out, text.data ? text.data : "", text.len);
    vm_buf_lit(out, ",\"tokens\":");
    vm_piece_ids(g, c, from, to, out);
    vm_buf_char(out, '}');

    out->failed |= text.failed;
    vm_buf_free(&text);
}


/* A segment is a sentence, or what is left of one. */

static void
vm_heard_segments(const vm_generation_t *g, vm_buf_t *out)
{
    uint32_t            from, i, id, k, n, stop;
    const vm_choice_t  *c;

    stop = vm_tokenizer_words(g->settings->tokenizer)->stop;
    id = 0;

    vm_buf_char(out, '[');

    for (k = 0; k < g->nchoices; k++) {
        c = &g->choices[k];
        n = c->made - (c->made && c->stop == VM_STOP_EOS
                       && c->made > c->stop_at);

        for (from = 0, i = 0; i < n; i++) {

            if (i + 1 == n || vm_generation_token(g, c, i) == stop) {
                vm_heard_segment(g, c, id++, from, i + 1, out);
                from = i + 1;
            }
        }
    }

    vm_buf_char(out, ']');
}


static void
vm_heard_verbose(const vm_generation_t *g, vm_buf_t *out)
{
    const char        *language;
    const vm_heard_t  *q;

    q = g->own;
    language = q->language ? json_string_value(q->language) : "en";

    vm_buf_lit(out, "{\"duration\":");
    vm_buf_double(out, q->seconds);
    vm_buf_lit(out, ",\"language\":");
    vm_buf_json(out, language, strlen(language));
    vm_buf_lit(out, ",\"text\":");
    vm_heard_text(g, out);
    vm_buf_lit(out, ",\"segments\":");
    vm_heard_segments(g, out);
    vm_buf_lit(out, ",\"words\":null}");
}


/* ---- frames ---- */

static void
vm_heard_head(const vm_generation_t *g, vm_buf_t *out)
{
    vm_buf_lit(out, "data: ");
    vm_piece_head(g, g->protocol == &vm_translation ? "translation.chunk"
                                                    : "transcription.chunk",
                  out);
    vm_buf_lit(out, ",\"choices\":[");
}


/* Of what was told so far. */

static void
vm_heard_usage(const vm_generation_t *g, vm_buf_t *out)
{
    uint32_t           i;
    uint64_t           n;
    const vm_heard_t  *q;

    q = g->own;

    for (n = 0, i = 0; i <= q->at && i < g->nchoices; i++) {
        n += g->choices[i].made;
    }

    vm_buf_lit(out, ",\"usage\":");
    vm_piece_counts(vm_generation_prompt_tokens(g), n, out);
    vm_buf_char(out, '}');
}


static void
vm_heard_frame(vm_generation_t *g, vm_choice_t *c, vm_str_t text, int first,
    vm_buf_t *out)
{
    vm_buf_t           b;
    const vm_heard_t  *q;

    q = g->own;

    if (c->finish == NULL && text.len == 0) {
        return;
    }

    vm_buf_init(&b);

    if (first && c->prompt && text.len) {
        vm_buf_str(&b, vm_heard_between(q));
    }

    vm_buf_add(&b, text.data, text.len);

    vm_heard_head(g, out);
    vm_buf_lit(out, "{\"delta\":{\"content\":");
    vm_buf_json(out, b.data ? b.data : "", b.len);
    vm_buf_char(out, '}');

    if (c->finish) {
        vm_buf_lit(out, ",\"finish_reason\":");
        vm_piece_finish_reason(c, out);
        vm_buf_lit(out, ",\"stop_reason\":");
        vm_piece_stop_reason(c, out);
    }

    vm_buf_lit(out, "}]");

    if (g->continuous_usage) {
        vm_heard_usage(g, out);
    }

    vm_buf_lit(out, "}\n\n");

    out->failed |= b.failed;
    vm_buf_free(&b);
}


/* Pieces are told one after the other, whichever the engine is done with. */

static void
vm_heard_chunk(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    vm_heard_t  *q;

    q = g->own;

    if (c->prompt != q->at) {
        return;
    }

    vm_heard_frame(g, c, text, c->shown == 0, out);

    while (c->finish && ++q->at < g->nchoices) {
        c = &g->choices[q->at];
        text.data = c->text.data ? c->text.data : "";
        text.len = c->shown;

        if (c->sent == 0) {
            break;                      /* it has said nothing yet */
        }

        vm_heard_frame(g, c, text, 1, out);
    }
}


static void
vm_heard_begin(vm_generation_t *g, vm_buf_t *out)
{
    (void) g;
    (void) out;
}


static void
vm_heard_end(vm_generation_t *g, vm_buf_t *out)
{
    vm_heard_t  *q;

    q = g->own;

    if (g->stream) {

        if (g->include_usage) {
            vm_heard_head(g, out);
            vm_buf_char(out, ']');
            vm_heard_usage(g, out);
            vm_buf_lit(out, "}\n\n");
        }

        vm_buf_lit(out, "data: [DONE]\n\n");
        return;
    }

    if (strcmp(vm_heard_format(q), "verbose_json") == 0) {
        vm_heard_verbose(g, out);
        return;
    }

    vm_buf_lit(out, "{\"text\":");
    vm_heard_text(g, out);

    if (g->protocol == &vm_transcription) {
        vm_buf_printf(out, ",\"usage\":{\"type\":\"duration\",\"seconds\":%d}",
                      (int) ceil(q->seconds));
    }

    vm_buf_char(out, '}');
}


const vm_protocol_t  vm_transcription = {
    "transcription", 0, vm_transcription_parse, vm_heard_begin,
    vm_heard_chunk, vm_heard_end
};

const vm_protocol_t  vm_translation = {
    "translation", 0, vm_translation_parse, vm_heard_begin, vm_heard_chunk,
    vm_heard_end
};
