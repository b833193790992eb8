/*
 * Parts of a message's content: pydantic's types, and what becomes of them.
 */

#include <stdlib.h>
#include "content.h"
#include "../base/rand.h"


#define vm_part_row(key, type, flags)                                         \
    { key, type, VM_F_CHECK|(flags), 0, 0, NULL }

#define vm_part_need(key, type)                                               \
    vm_part_row(key, type, VM_F_REQUIRED|VM_F_NOTNULL)

#define vm_part_may(key, type)   vm_part_row(key, type, VM_F_NOTNULL)
#define vm_part_null(key, type)  vm_part_row(key, type, 0)

#define vm_part_model(rows, class)                                            \
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = rows, .name = class }


/* ---- words ---- */

typedef enum {
    VM_WORD_TEXT, VM_WORD_IMAGE_URL, VM_WORD_INPUT_AUDIO, VM_WORD_FILE,
    VM_WORD_AUDIO_URL, VM_WORD_VIDEO_URL, VM_WORD_REFUSAL,
    VM_WORD_IMAGE_EMBEDS, VM_WORD_AUDIO_EMBEDS, VM_WORD_VIDEO_EMBEDS,
    VM_WORD_PROMPT_EMBEDS, VM_WORD_TOOL_REFERENCE, VM_WORD_THINKING,
    VM_WORD_INPUT_IMAGE
} vm_word_e;

static const char *const  vm_words[][2] = {
    { "text", NULL }, { "image_url", NULL }, { "input_audio", NULL },
    { "file", NULL }, { "audio_url", NULL }, { "video_url", NULL },
    { "refusal", NULL }, { "image_embeds", NULL }, { "audio_embeds", NULL },
    { "video_embeds", NULL }, { "prompt_embeds", NULL },
    { "tool_reference", NULL }, { "thinking", NULL }, { "input_image", NULL }
};

#define vm_word(n)  { .kind = VM_T_LITERAL, .values = vm_words[n] }

static const vm_type_t  vm_word_types[] = {
    vm_word(0), vm_word(1), vm_word(2), vm_word(3), vm_word(4), vm_word(5),
    vm_word(6), vm_word(7), vm_word(8), vm_word(9), vm_word(10), vm_word(11),
    vm_word(12), vm_word(13)
};

static const char *const  vm_detail_words[] = {
    "auto", "low", "high", "original", NULL
};

static const char *const  vm_input_detail_words[] = {
    "low", "high", "auto", "original", NULL
};

static const char *const  vm_format_words[] = { "wav", "mp3", NULL };
static const char *const  vm_explicit_words[] = { "explicit", NULL };
static const char *const  vm_ttl_words[] = { "30m", "12h", NULL };

static const vm_type_t  vm_detail_type = {
    .kind = VM_T_LITERAL, .values = vm_detail_words
};

static const vm_type_t  vm_input_detail_type = {
    .kind = VM_T_LITERAL, .values = vm_input_detail_words
};

static const vm_type_t  vm_format_type = {
    .kind = VM_T_LITERAL, .values = vm_format_words
};

static const vm_type_t  vm_explicit_type = {
    .kind = VM_T_LITERAL, .values = vm_explicit_words
};

static const vm_type_t  vm_ttl_type = {
    .kind = VM_T_LITERAL, .values = vm_ttl_words
};


/* ---- what parts consist of ---- */

static const vm_field_t  vm_breakpoint_fields[] = {
    vm_part_need("mode", &vm_explicit_type),
    vm_part_may("ttl", &vm_ttl_type),
    vm_field_end
};

static const vm_type_t  vm_breakpoint_type = {
    .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_breakpoint_fields
};

static const vm_field_t  vm_image_fields[] = {
    vm_part_need("url", &vm_str_type),
    vm_part_may("detail", &vm_detail_type),
    vm_field_end
};

static const vm_type_t  vm_image_type = {
    .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_image_fields
};

static const vm_field_t  vm_sound_fields[] = {
    vm_part_need("data", &vm_str_type),
    vm_part_need("format", &vm_format_type),
    vm_field_end
};

static const vm_type_t  vm_sound_type = {
    .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_sound_fields
};

static const vm_field_t  vm_file_fields[] = {
    vm_part_may("file_data", &vm_str_type),
    vm_part_may("file_id", &vm_str_type),
    vm_part_may("filename", &vm_str_type),
    vm_field_end
};

static const vm_type_t  vm_file_type = {
    .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_file_fields
};

static const vm_field_t  vm_url_fields[] = {
    vm_part_need("url", &vm_str_type),
    vm_field_end
};

static const vm_type_t  vm_url_type = {
    .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_url_fields
};

/* an image of Python's, which no JSON is */

static const char *const  vm_pil_class[] = { "Image", NULL };

static const vm_type_t  vm_pil_image_type = {
    .kind = VM_T_INSTANCE, .values = vm_pil_class
};

static const vm_field_t  vm_pil_fields[] = {
    vm_part_need("image_pil", &vm_pil_image_type),
    vm_field_end
};

static const vm_type_t  vm_pil_type = {
    .kind = VM_T_MODEL, .fields = vm_pil_fields
};

static const vm_type_t *const  vm_number_branches[] = {
    &vm_int_type, &vm_float_type, NULL
};

static const vm_type_t  vm_number_type = {
    .kind = VM_T_UNION, .branches = vm_number_branches
};

static const vm_type_t  vm_numbers_type = {
    .kind = VM_T_LIST, .item = &vm_number_type
};

static const vm_type_t *const  vm_tensor_branches[] = {
    &vm_str_type, &vm_numbers_type, NULL
};

static const vm_type_t  vm_tensor_type = {
    .kind = VM_T_UNION, .branches = vm_tensor_branches
};

static const vm_type_t  vm_tensors_type = {
    .kind = VM_T_DICT, .item = &vm_tensor_type
};

static const vm_type_t *const  vm_payload_branches[] = {
    &vm_str_type, &vm_tensors_type, NULL
};

static const vm_type_t  vm_payload_type = {
    .kind = VM_T_UNION, .branches = vm_payload_branches
};


/* ---- parts, in the order of vLLM's union ---- */

#define vm_part_fields(id, key, type, word)                                   \
    static const vm_field_t  vm_part_##id[] = {                               \
        vm_part_need(key, type),                                              \
        vm_part_need("type", &vm_word_types[word]),                           \
        vm_part_may("prompt_cache_breakpoint", &vm_breakpoint_type),          \
        vm_field_end                                                          \
    }

#define vm_part_plain(id, key, type, word)                                    \
    static const vm_field_t  vm_part_##id[] = {                               \
        vm_part_need(key, type),                                              \
        vm_part_need("type", &vm_word_types[word]),                           \
        vm_field_end                                                          \
    }

#define vm_part_embeds(id, key, word)                                         \
    static const vm_field_t  vm_part_##id[] = {                               \
        vm_part_null(key, &vm_payload_type),                                  \
        vm_part_need("type", &vm_word_types[word]),                           \
        vm_part_null("uuid", &vm_str_type),                                   \
        vm_field_end                                                          \
    }

#define vm_part_simple(id, key, type)                                         \
    static const vm_field_t  vm_part_##id[] = {                               \
        vm_part_null(key, type),                                              \
        vm_part_null("uuid", &vm_str_type),                                   \
        vm_field_end                                                          \
    }

vm_part_fields(text, "text", &vm_str_type, VM_WORD_TEXT);
vm_part_fields(image, "image_url", &vm_image_type, VM_WORD_IMAGE_URL);
vm_part_fields(sound, "input_audio", &vm_sound_type, VM_WORD_INPUT_AUDIO);
vm_part_fields(file, "file", &vm_file_type, VM_WORD_FILE);
vm_part_plain(audio, "audio_url", &vm_url_type, VM_WORD_AUDIO_URL);
vm_part_plain(video, "video_url", &vm_url_type, VM_WORD_VIDEO_URL);
vm_part_plain(refusal, "refusal", &vm_str_type, VM_WORD_REFUSAL);
vm_part_simple(pil, "image_pil", &vm_pil_type);
vm_part_simple(some_image, "image_url", &vm_str_type);
vm_part_embeds(image_embeds, "image_embeds", VM_WORD_IMAGE_EMBEDS);
vm_part_embeds(audio_embeds, "audio_embeds", VM_WORD_AUDIO_EMBEDS);
vm_part_embeds(video_embeds, "video_embeds", VM_WORD_VIDEO_EMBEDS);
vm_part_plain(prompt_embeds, "data", &vm_str_type, VM_WORD_PROMPT_EMBEDS);
vm_part_simple(some_video, "video_url", &vm_str_type);

static const vm_field_t  vm_part_some_audio[] = {
    vm_part_null("audio_url", &vm_str_type),
    vm_field_end
};

static const vm_field_t  vm_part_reference[] = {
    vm_part_may("name", &vm_str_type),
    vm_part_may("type", &vm_word_types[VM_WORD_TOOL_REFERENCE]),
    vm_field_end
};

static const vm_field_t  vm_part_thought[] = {
    vm_part_need("thinking", &vm_str_type),
    vm_part_may("closed", &vm_bool_type),
    vm_part_need("type", &vm_word_types[VM_WORD_THINKING]),
    vm_field_end
};

static const vm_type_t  vm_part_types[] = {
    vm_part_model(vm_part_text, "ChatCompletionContentPartTextParam"),
    vm_part_model(vm_part_image, "ChatCompletionContentPartImageParam"),
    vm_part_model(vm_part_sound, "ChatCompletionContentPartInputAudioParam"),
    vm_part_model(vm_part_file, "File"),
    vm_part_model(vm_part_audio, "ChatCompletionContentPartAudioParam"),
    vm_part_model(vm_part_video, "ChatCompletionContentPartVideoParam"),
    vm_part_model(vm_part_refusal, "ChatCompletionContentPartRefusalParam"),
    vm_part_model(vm_part_pil, "CustomChatCompletionContentPILImageParam"),
    vm_part_model(vm_part_some_image,
                  "CustomChatCompletionContentSimpleImageParam"),
    vm_part_model(vm_part_image_embeds,
                  "ChatCompletionContentPartImageEmbedsParam"),
    vm_part_model(vm_part_audio_embeds,
                  "ChatCompletionContentPartAudioEmbedsParam"),
    vm_part_model(vm_part_video_embeds,
                  "ChatCompletionContentPartVideoEmbedsParam"),
    vm_part_model(vm_part_prompt_embeds,
                  "ChatCompletionContentPartPromptEmbedsParam"),
    vm_part_model(vm_part_some_audio,
                  "CustomChatCompletionContentSimpleAudioParam"),
    vm_part_model(vm_part_some_video,
                  "CustomChatCompletionContentSimpleVideoParam"),
    vm_part_model(vm_part_reference,
                  "CustomChatCompletionContentToolReferenceParam"),
    { .kind = VM_T_STR, .name = "str" },
    vm_part_model(vm_part_thought, "CustomThinkCompletionContentParam")
};

static const vm_type_t *const  vm_part_branches[] = {
    &vm_part_types[0], &vm_part_types[1], &vm_part_types[2],
    &vm_part_types[3], &vm_part_types[4], &vm_part_types[5],
    &vm_part_types[6], &vm_part_types[7], &vm_part_types[8],
    &vm_part_types[9], &vm_part_types[10], &vm_part_types[11],
    &vm_part_types[12], &vm_part_types[13], &vm_part_types[14],
    &vm_part_types[15], &vm_part_types[16], &vm_part_types[17], NULL
};

static const vm_type_t  vm_part_type = {
    .kind = VM_T_UNION, .branches = vm_part_branches
};

static const vm_type_t  vm_part_list_type = {
    .kind = VM_T_LIST, .item = &vm_part_type
};

static const vm_type_t *const  vm_custom_branches[] = {
    &vm_str_type, &vm_part_list_type, NULL
};

const vm_type_t  vm_content_custom_type = {
    .kind = VM_T_UNION, .branches = vm_custom_branches
};


/* ---- parts that are checked while they are read ---- */

static const vm_type_t *const  vm_user_branches[] = {
    &vm_part_types[0], &vm_part_types[1], &vm_part_types[2],
    &vm_part_types[3], NULL
};

static const vm_type_t *const  vm_assistant_branches[] = {
    &vm_part_types[0], &vm_part_types[6], NULL
};

static const vm_type_t  vm_lazy_types[] = {
    { .kind = VM_T_MODEL, .typed_dict = 1, .fields = vm_part_text },
    { .kind = VM_T_UNION, .branches = vm_user_branches },
    { .kind = VM_T_UNION, .branches = vm_assistant_branches }
};


/* Those that the parser of media looks at again, by their "type". */

static const vm_field_t  vm_input_image_fields[] = {
    vm_part_need("detail", &vm_input_detail_type),
    vm_part_need("type", &vm_word_types[VM_WORD_INPUT_IMAGE]),
    vm_part_null("file_id", &vm_str_type),
    vm_part_null("image_url", &vm_str_type),
    vm_part_may("prompt_cache_breakpoint", &vm_breakpoint_type),
    vm_field_end
};

static const vm_type_t  vm_input_image_type =
    vm_part_model(vm_input_image_fields, "ResponseInputImageParam");


/* ---- media: so many tokens each, where a model takes them ---- */

/*
 * vllm_mock_endpoints all, see docs/compatibility.md.  The first tokens follow
 * from the content, so that the prefix cache tells one picture from another.
 */

static const struct {
    const char  *type;
    const char  *modality;
    unsigned     tokens;
} vm_media[] = {
    { "image_url", "image", 576 },  /* LLaVA-1.5: 24 x 24 patches */
    { "input_audio", "audio", 188 },        /* Whisper's 1500 frames, eight a
                                               token */
    { "audio_url", "audio", 188 },
    { "video_url", "video", 1152 }, /* eight frames of 144 */
    { "file", "image", 576 }
};


int
vm_content_medium(const json_t *part, vm_medium_t *m)
{
    char        *text;
    unsigned     i;
    const char  *type;

    type = json_string_value(json_object_get(part, "type"));

    for (i = 0; type && i < vm_nelts(vm_media); i++) {

        if (strcmp(vm_media[i].type, type) == 0) {
            text = json_dumps(part, JSON_COMPACT | JSON_SORT_KEYS);
            m->modality = vm_media[i].modality;
            m->tokens = vm_media[i].tokens;
            m->hash = text ? vm_rand_bytes(text, strlen(text), 0) : 0;
            free(text);

            return 1;
        }
    }

    return 0;
}


/* Placeholders for a part; 0: it is none that is known. */

static int
vm_content_media(const json_t *part, vm_buf_t *out)
{
    unsigned     k;
    vm_medium_t  m;

    if (!vm_content_medium(part, &m)) {
        return 0;
    }

    /* control characters are a token each */

    for (k = 0; k < m.tokens; k++) {
        vm_buf_char(out, k < VM_MEDIA_MARK
                         ? (char) (1 + (m.hash >> 3 * k & 7))
                         : VM_MEDIA_FILL);
    }

    return 1;
}


/* ---- what a part says ---- */

typedef enum {
    VM_SAYS_TEXT,
    VM_SAYS_NAME,                   /* of a tool: like a text */
    VM_SAYS_MEDIA,
    VM_SAYS_PROMPT                  /* embeddings of a prompt */
} vm_says_e;

/* By the name of the type, and of the key that has the content. */

static const struct {
    const char       *type;
    const char       *key;
    vm_says_e         says;
    const vm_type_t  *check;
    const char       *refusal;      /* NULL: that of all media */
} vm_says[] = {
    { "text", "text", VM_SAYS_TEXT, NULL, NULL },
    { "thinking", "thinking", VM_SAYS_TEXT, NULL, NULL },
    { "input_text", "text", VM_SAYS_TEXT, NULL, NULL },
    { "output_text", "text", VM_SAYS_TEXT, NULL, NULL },
    { "refusal", "refusal", VM_SAYS_TEXT, NULL, NULL },
    { "tool_reference", "name", VM_SAYS_NAME, NULL, NULL },
    { "input_image", "image_url", VM_SAYS_MEDIA, &vm_input_image_type, NULL },
    { "image_url", "image_url", VM_SAYS_MEDIA, &vm_part_types[1], NULL },
    { "image_pil", "image_pil", VM_SAYS_MEDIA, NULL, NULL },
    { "image_embeds", "image_embeds", VM_SAYS_MEDIA, NULL,
      "The model is not multimodal." },
    { "audio_embeds", "audio_embeds", VM_SAYS_MEDIA, NULL,
      "The model is not multimodal." },
    { "video_embeds", "video_embeds", VM_SAYS_MEDIA, NULL,
      "The model is not multimodal." },
    { "prompt_embeds", "data", VM_SAYS_PROMPT, NULL, NULL },
    { "audio_url", "audio_url", VM_SAYS_MEDIA, &vm_part_types[4], NULL },
    { "input_audio", "input_audio", VM_SAYS_MEDIA, NULL, NULL },
    { "video_url", "video_url", VM_SAYS_MEDIA, &vm_part_types[5], NULL }
};

/* Without a type a part is what it has, the first of these. */

static const char *const  vm_untyped[] = {
    "image_url", "image_pil", "image_embeds", "audio_embeds", "video_embeds",
    "prompt_embeds", "audio_url", "input_audio", "video_url",
    "tool_reference"
};

#define VM_PART_TYPES                                                         \
    "audio_embeds, audio_url, image_embeds, image_pil, image_url, "           \
    "input_audio, input_image, input_text, output_text, prompt_embeds, "      \
    "refusal, text, thinking, tool_reference, video_embeds, video_url"


int
vm_content_unsupported(const json_t *type, vm_error_t *e, vm_pool_t *pool)
{
    int       rc;
    vm_buf_t  b;

    vm_buf_init(&b);
    vm_buf_lit(&b, "Unsupported chat content part type: ");
    vm_value_repr(&b, type);
    vm_buf_lit(&b, ". Supported types: " VM_PART_TYPES ".");
    vm_buf_char(&b, '\0');

    rc = b.failed ? vm_error_memory(e)
                  : vm_error_value(e, pool, "type", type, b.data);
    vm_buf_free(&b);

    return rc;
}


/* Which of vm_says[] a part is, or -1 and an error. */

static int
vm_part_kind(const json_t *part, vm_error_t *e, vm_pool_t *pool)
{
    size_t         i, k;
    const char    *name;
    const json_t  *type;

    type = vm_value_get(part, "type");
    name = vm_value_type(type) == VM_PY_STR ? json_string_value(type) : NULL;

    if (type == NULL || vm_value_get(part, "uuid")) {

        for (i = 0; i < vm_nelts(vm_untyped); i++) {
            if (json_object_get(part, vm_untyped[i])) {
                break;
            }
        }

        if (i == vm_nelts(vm_untyped)) {
            vm_error_param(e, pool, "type",
                           "Missing 'type' field in multimodal part.");
            return -1;
        }

        name = vm_untyped[i];

    } else if (name == NULL) {
        vm_error_param(e, pool, "type",
                       "Invalid 'type' field in multimodal part.");
        return -1;
    }

    for (k = 0; k < vm_nelts(vm_says); k++) {
        if (strcmp(vm_says[k].type, name) == 0) {
            return (int) k;
        }
    }

    vm_content_unsupported(type, e, pool);

    return -1;
}


static int
vm_part_media(const json_t *part, int kind, const vm_template_t *t,
    vm_error_t *e, vm_pool_t *pool)
{
    const vm_type_t  *check;

    /* a part without a type is taken as it is */

    check = vm_value_get(part, "type") && !vm_value_get(part, "uuid")
            ? vm_says[kind].check : NULL;

    if (check
        && vm_model_load(check, part, check->name, NULL, e, pool) != VM_OK)
    {
        return VM_ERROR;
    }

    if (vm_says[kind].refusal) {
        return vm_error_bad(e, vm_says[kind].refusal);
    }

    return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                           "%s is not a multimodal model", t->model);
}


static int
vm_part_prompt(const json_t *part, vm_error_t *e, vm_pool_t *pool)
{
    const json_t  *data;

    data = vm_value_get(part, "data");

    if (data == NULL || !vm_value_true(data)) {
        return vm_error_param(e, pool, "prompt_embeds",
                              "prompt_embeds content part requires a "
                              "non-empty `data` field with base64-encoded "
                              "tensor bytes.");
    }

    return vm_error_param(e, pool, "prompt_embeds",
                          "You must set `--enable-prompt-embeds` to input "
                          "`prompt_embeds`");
}


int
vm_content_render(const json_t *content, vm_content_e whose,
    const vm_template_t *t, vm_buf_t *out, vm_error_t *e, vm_pool_t *pool)
{
    int            kind;
    size_t         i, n, odd_at;
    json_t        *part;
    const json_t  *odd, *text;

    n = 0;
    odd = NULL;
    odd_at = 0;

    json_array_foreach(content, i, part) {

        if (t->media && vm_content_media(part, out)) {
            continue;
        }

        if (whose != VM_CONTENT_FREE
            && vm_item_load(&vm_lazy_types[whose], part, "ValidatorIterator",
                            i, e, pool) != VM_OK)
        {
            return VM_ERROR;
        }

        text = part;

        if (vm_value_type(part) == VM_PY_DICT) {
            kind = vm_part_kind(part, e, pool);

            if (kind == -1) {
                return VM_ERROR;
            }

            if (vm_says[kind].says == VM_SAYS_MEDIA) {
                return vm_part_media(part, kind, t, e, pool);
            }

            if (vm_says[kind].says == VM_SAYS_PROMPT) {
                return vm_part_prompt(part, e, pool);
            }

            text = json_object_get(part, vm_says[kind].key);
        }

        if (text == NULL || !vm_value_true(text)) {
            continue;                   /* nothing is said */
        }

        if (vm_value_type(text) != VM_PY_STR) {

            if (odd == NULL) {
                odd = text;
                odd_at = n;
            }

        } else {
            if (n) {
                vm_buf_char(out, '\n');
            }

            vm_buf_add(out, json_string_value(text),
                       json_string_length(text));
        }

        n++;
    }

    if (odd) {
        return vm_error_printf(e, pool, 400, "BadRequestError", NULL,
                               "sequence item %zu: expected str instance, "
                               "%s found", odd_at, vm_value_class(odd));
    }

    return VM_OK;
}
