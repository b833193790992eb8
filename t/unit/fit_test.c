/*
 * What follows from a model's name and a device; and what does not fit.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "../../src/engine/fit.h"
#include "../../src/engine/known.h"


static char              text[512];
static vm_fit_t          f;
static vm_engine_conf_t  c;


static int
setup(void **state)
{
    (void) state;

    memset(&f, 0, sizeof(vm_fit_t));
    vm_engine_defaults(&c);

    return 0;
}


static void
names(void **state)
{
    size_t  i;

    static const struct {
        const char  *name;
        uint32_t     tokens;
    }  models[] = {
        { "meta-llama/Llama-3.1-8B-Instruct", 131072 },
        { "meta-llama/Meta-Llama-3.1-70B", 131072 },
        { "/models/Llama-3.3-70B-Instruct", 131072 },
        { "llama-3.1-8b", 131072 },
        { "meta-llama/Meta-Llama-3-8B-Instruct", 8192 },
        { "llama2-7b", 4096 }, { "meta-llama/Llama-2-70b-chat-hf", 4096 },
        { "Qwen/Qwen3-8B", 40960 }, { "Qwen/Qwen3-8B-Base", 32768 },
        { "Qwen/Qwen3-30B-A3B-Instruct-2507", 262144 },
        { "Qwen/Qwen2.5-7B", 131072 }, { "Qwen/Qwen2.5-7B-Instruct", 32768 },
        { "deepseek-ai/DeepSeek-R1-Distill-Llama-8B", 131072 },
        { "deepseek-ai/DeepSeek-R1", 163840 },
        { "openai/gpt-oss-20b", 131072 }, { "microsoft/phi-2", 2048 },
        { "facebook/opt-125m", 2048 },
        { "my/model", 0 }, { "", 0 }, { "llama", 0 }, { "/", 0 }
    };

    (void) state;

    for (i = 0; i < vm_nelts(models); i++) {
        assert_int_equal(vm_known_length(models[i].name), models[i].tokens);
    }
}


/* By both spellings and all names; what is not derived changes nothing. */

static void
option_names(void **state)
{
    size_t    i;
    vm_fit_t  none;

    static const struct {
        const char  *option;
        size_t       offset;
    }  options[] = {
        { "max-model-len", offsetof(vm_fit_t, length) },
        { "max_model_len", offsetof(vm_fit_t, length) },
        { "num_gpu_blocks", offsetof(vm_fit_t, blocks) },
        { "num-gpu-blocks-override", offsetof(vm_fit_t, blocks) },
        { "block-size", offsetof(vm_fit_t, block_size) },
        { "max-num-seqs", offsetof(vm_fit_t, seqs) },
        { "max_num_batched_tokens", offsetof(vm_fit_t, tokens) }
    };

    (void) state;

    memset(&none, 0, sizeof(vm_fit_t));

    for (i = 0; i < vm_nelts(options); i++) {
        memset(&f, 0, sizeof(vm_fit_t));
        vm_fit_given(&f, options[i].option);
        assert_int_equal(*((uint8_t *) &f + options[i].offset), 1);

        *((uint8_t *) &f + options[i].offset) = 0;
        assert_memory_equal(&f, &none, sizeof(vm_fit_t));
    }

    vm_fit_given(&f, "max_loras");
    vm_fit_given(&f, "");
    assert_memory_equal(&f, &none, sizeof(vm_fit_t));
}


/* Nothing was said: the model's length, and blocks for one such request. */

static void
nothing(void **state)
{
    (void) state;

    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_OK);
    assert_int_equal(c.max_model_len, 4096);
    assert_int_equal(c.num_gpu_blocks, 8192);
    assert_string_equal(text, "");

    f.known = 131072;
    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_OK);
    assert_int_equal(c.max_model_len, 131072);
    assert_int_equal(c.num_gpu_blocks, 8193);
    assert_string_equal(text, "");
    assert_null(vm_engine_check(&c));
}


static void
given(void **state)
{
    (void) state;

    f.known = 8192;
    f.length = 1;
    c.max_model_len = 200001;
    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_OK);
    assert_int_equal(c.max_model_len, 200001);
    assert_int_equal(c.num_gpu_blocks, 12502);
    assert_null(vm_engine_check(&c));
}


/* Blocks are given, or a device has so many. */

static void
too_long(void **state)
{
    (void) state;

    f.blocks = 1;
    f.length = 1;
    c.max_model_len = 131072;
    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_ERROR);
    assert_non_null(strstr(text, "(131072), 8193 KV blocks of 16 tokens"));
    assert_non_null(strstr(text, "there are 8192 (room for 131056 tokens"));
    assert_non_null(strstr(text, "at most 131056 or to auto"));
    assert_non_null(strstr(text, "at least 8193"));

    /* "auto" takes what there is, as does a length that is only derived */

    c.max_model_len = 0;
    f.known = 131072;
    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_OK);
    assert_int_equal(c.max_model_len, 131056);
    assert_non_null(strstr(text, "max_model_len is 131056"));

    c.max_model_len = 4096;
    f.length = 0;
    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_OK);
    assert_int_equal(c.max_model_len, 131056);

    c.max_model_len = 0;
    f.length = 1;
    f.known = 0;
    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_OK);
    assert_int_equal(c.max_model_len, 4096);
    assert_string_equal(text, "");
}


static void
whole_prompts(void **state)
{
    (void) state;

    c.chunked_prefill = 0;
    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_OK);
    assert_int_equal(c.max_num_batched_tokens, 4096);

    f.tokens = 1;
    c.max_num_batched_tokens = 2048;
    assert_int_equal(vm_fit(&c, &f, text, sizeof(text)), VM_ERROR);
    assert_non_null(strstr(text, "(2048) must not be less than max_model_len "
                                 "(4096)"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(option_names),
        cmocka_unit_test_setup(nothing, setup),
        cmocka_unit_test_setup(given, setup),
        cmocka_unit_test_setup(too_long, setup),
        cmocka_unit_test_setup(whole_prompts, setup)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
