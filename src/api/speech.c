/*
 * Text to speech: a tone that is as long as the text would take.  Each token
 * of the engine is 1/25 s of it.
 */

#include <math.h>
#include "media.h"
#include "speech.h"
#include "wav.h"
#include "../base/rand.h"


#define VM_SPEECH_TOKEN  (VM_WAV_RATE / VM_SPEECH_RATE)     /* samples */


typedef struct {
    const json_t  *input;
    const json_t  *model;
    vm_any_t       voice;
    vm_any_t       speaker;
    const json_t  *response_format;
    const json_t  *stream_format;
    vm_float_t     speed;
    vm_int_t       max_new_tokens;
    uint8_t        stream;

    uint64_t       key;             /* of the sound */
    uint8_t        wav;             /* with a header */
} vm_spoken_t;

#define vm_spoken_row(name, type, flags)                                      \
    { #name, &type, flags, offsetof(vm_spoken_t, name), 0, NULL }
#define vm_spoken_check(name, type)                                           \
    { name, &type, VM_F_CHECK, 0, 0, NULL }


/* OpenAI's, then those of vLLM-Omni */

static const char *const  vm_voices[] = {
    "alloy", "echo", "fable", "onyx", "nova", "shimmer",
    "aiden", "dylan", "eric", "one_anna", "ryan", "serena", "sohee",
    "uncle_fu", "vivian"
};

static const char *const  vm_spoken_formats[] = { "wav", "pcm", NULL };

static const vm_type_t  vm_spoken_format_type = {
    .kind = VM_T_LITERAL, .values = vm_spoken_formats
};

static const char *const  vm_spoken_streams[] = { "sse", "audio", NULL };

static const vm_type_t  vm_spoken_stream_type = {
    .kind = VM_T_LITERAL, .values = vm_spoken_streams
};

static const vm_type_t *const  vm_spoken_voice_branches[] = {
    &vm_str_type, &vm_dict_type, NULL
};

static const vm_type_t  vm_spoken_voice_type = {
    .kind = VM_T_UNION, .branches = vm_spoken_voice_branches
};

static const vm_type_t  vm_spoken_tokens_type = {
    .kind = VM_T_INT, .has_ge = 1, .ge = 1
};

static const vm_field_t  vm_spoken_fields[] = {
    vm_spoken_row(input, vm_str_type, VM_F_REQUIRED|VM_F_NOTNULL),
    vm_spoken_row(model, vm_str_type, 0),
    vm_spoken_row(voice, vm_spoken_voice_type, 0),
    vm_spoken_row(speaker, vm_spoken_voice_type, 0),
    vm_spoken_check("instructions", vm_str_type),
    vm_spoken_row(response_format, vm_spoken_format_type, VM_F_NOTNULL),
    { "speed", &vm_float_type, 0, offsetof(vm_spoken_t, speed), 1, NULL },
    vm_spoken_row(stream_format, vm_spoken_stream_type, 0),
    vm_spoken_row(stream, vm_bool_type, VM_F_NOTNULL),
    vm_spoken_check("task_type", vm_str_type),
    vm_spoken_check("language", vm_str_type),
    vm_spoken_check("ref_text", vm_str_type),
    vm_spoken_row(max_new_tokens, vm_spoken_tokens_type, 0),
    vm_spoken_check("seed", vm_int64_type),
    vm_field_end
};

static const vm_type_t  vm_spoken_type = {
    .kind = VM_T_MODEL, .fields = vm_spoken_fields
};


/* ---- requests ---- */

static int
vm_spoken_voice(vm_generation_t *g, vm_spoken_t *q)
{
    size_t         i;
    vm_buf_t       b;
    const char    *name;
    const json_t  *v;

    v = q->voice.json ? q->voice.json : q->speaker.json;
    name = vm_voices[0];

    if (v) {
        v = json_is_object(v) ? json_object_get(v, "id") : v;
        name = json_is_string(v) ? json_string_value(v) : "";
    }

    q->key = vm_rand_bytes(name, strlen(name), 0);

    for (i = 0; i < vm_nelts(vm_voices); i++) {
        if (strcmp(name, vm_voices[i]) == 0) {
            return VM_OK;
        }
    }

    vm_buf_init(&b);

    for (i = 0; i < vm_nelts(vm_voices); i++) {
        vm_buf_printf(&b, "%s%s", i ? ", " : "", vm_voices[i]);
    }

    vm_buf_char(&b, '\0');

    vm_error_param(&g->call->error, g->pool, "voice",
                   vm_pool_printf(g->pool, "Invalid voice '%s'. Must be one "
                                  "of: %s", name, b.failed ? "" : b.data));
    vm_buf_free(&b);

    return VM_ERROR;
}


/* How many tokens it takes to say it. */

static uint32_t
vm_spoken_length(const vm_spoken_t *q)
{
    size_t   chars;
    double   n;

    chars = vm_value_chars(json_string_value(q->input),
                           json_string_length(q->input));

    n = ceil((double) chars / VM_SPEECH_CHARS / q->speed.v * VM_SPEECH_RATE);
    n = vm_min(n, VM_SPEECH_SECONDS * VM_SPEECH_RATE);

    if (q->max_new_tokens.set) {
        n = vm_min(n, (double) q->max_new_tokens.v);
    }

    return (uint32_t) n;
}


static int
vm_speech_parse(vm_generation_t *g, const json_t *body)
{
    int           sse;
    const char   *format;
    vm_error_t   *e;
    vm_spoken_t  *q;

    e = &g->call->error;
    g->own = q = vm_pool_calloc(g->pool, 1, sizeof(vm_spoken_t));

    if (q == NULL) {
        return vm_error_memory(e);
    }

    if (vm_model_load(&vm_spoken_type, body, "body", q, e, g->pool) != VM_OK)
    {
        return VM_ERROR;
    }

    if (vm_media_range(g, "speed", q->speed.v, 0.25, 4) != VM_OK
        || vm_media_begin(g, q->model, "input", q->input, "speech-") != VM_OK
        || vm_spoken_voice(g, q) != VM_OK
        || vm_media_plan(g, 1, vm_spoken_length(q)) != VM_OK)
    {
        return VM_ERROR;
    }

    q->key = vm_rand_bytes(json_string_value(q->input),
                           json_string_length(q->input), q->key);

    format = q->response_format ? json_string_value(q->response_format)
                                : "wav";
    q->wav = format[0] == 'w';

    format = q->stream_format ? json_string_value(q->stream_format) : "";
    sse = format[0] == 's' || (format[0] == '\0' && q->stream);

    g->stream = sse != 0;
    g->type = sse ? NULL : (q->wav ? "audio/wav" : "audio/pcm");

    return VM_OK;
}


/* ---- answers ---- */

/* Tokens from .. to - 1, with the header if they are the first. */

static void
vm_spoken_sound(vm_generation_t *g, uint32_t from, uint32_t to, uint32_t all,
    vm_buf_t *out)
{
    const vm_spoken_t  *q;

    q = g->own;

    if (q->wav && from == 0) {
        vm_wav_header(out, all * VM_SPEECH_TOKEN);
    }

    vm_wav_voice(out, q->key, from * VM_SPEECH_TOKEN, to * VM_SPEECH_TOKEN);
}


static void
vm_speech_chunk(vm_generation_t *g, vm_choice_t *c, vm_str_t text,
    vm_buf_t *out)
{
    vm_buf_t  b;

    (void) text;

    if (c->made == c->sent) {
        return;
    }

    vm_buf_init(&b);
    vm_spoken_sound(g, c->sent, c->made, vm_min(g->lengths[0],
                                                g->max_tokens[0]), &b);

    vm_buf_lit(out, "data: {\"type\":\"speech.audio.delta\",\"audio\":\"");
    vm_buf_base64(out, b.data, b.len);
    vm_buf_lit(out, "\"}\n\n");

    out->failed |= b.failed;
    vm_buf_free(&b);
}


static void
vm_speech_end(vm_generation_t *g, vm_buf_t *out)
{
    if (!g->stream) {
        vm_spoken_sound(g, 0, g->choices[0].made, g->choices[0].made, out);
        return;
    }

    vm_buf_lit(out, "data: {\"type\":\"speech.audio.done\",");
    vm_media_usage(g, out);
    vm_buf_lit(out, "}}\n\n");
}


const vm_protocol_t  vm_speech = {
    "speech", 0, vm_speech_parse, vm_media_nothing, vm_speech_chunk,
    vm_speech_end
};


void
vm_speech_voices(vm_buf_t *out)
{
    size_t  i;

    vm_buf_lit(out, "{\"voices\":[");

    for (i = 0; i < vm_nelts(vm_voices); i++) {
        vm_buf_printf(out, "%s\"%s\"", i ? "," : "", vm_voices[i]);
    }

    vm_buf_lit(out, "],\"uploaded_voices\":[]}");
}
