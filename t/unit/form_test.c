/*
 * Forms, and how long a WAV is.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../../src/api/form.h"
#include "../../src/api/wav.h"


#define TYPE  "multipart/form-data; boundary=x"
#define PART(options, text)                                                   \
    "--x\r\nContent-Disposition: form-data" options "\r\n\r\n" text "\r\n"
#define FIELD(name, text)  PART("; name=\"" name "\"", text)
#define FILE_(name, text)  PART("; name=\"" name "\"; filename=\"f\"", text)
#define END  "--x--\r\n"


typedef struct {
    vm_pool_t   *pool;
    vm_error_t   error;
    vm_form_t    form;
    int          rc;
} parsed_t;


/* In memory of its own, so that a sanitizer sees who reads past it. */

static void
parse(parsed_t *p, const char *type, const char *body, size_t len)
{
    char  *copy;

    memset(p, 0, sizeof(parsed_t));
    p->pool = vm_pool_create(256);
    copy = malloc(len ? len : 1);
    memcpy(copy, body, len);
    p->rc = vm_form_parse(&p->form, type, copy, len, &p->error, p->pool);

    if (p->rc == VM_OK && p->form.n) {
        json_decref(vm_form_json(&p->form));
    }

    free(copy);
}


static void
done(parsed_t *p)
{
    vm_pool_destroy(p->pool);
}


static void
test_fields(void **state)
{
    size_t       len;
    json_t      *o;
    vm_form_t    form;
    vm_pool_t   *pool;
    vm_error_t   e;
    const char  *body;

    (void) state;

    body = FIELD("a", "1") FIELD("a", "2") FIELD("list[]", "x")
           FIELD("list[]", "y") FILE_("f", "\r\n--xy\r\n\r\n--") FIELD("b", "")
           PART("; name=\"q\\\"q\"; other", "\xff") END "behind";
    len = strlen(body);
    pool = vm_pool_create(256);

    assert_int_equal(vm_form_parse(&form, TYPE, body, len, &e, pool), VM_OK);
    assert_int_equal(form.n, 7);
    assert_int_equal(form.nfiles, 1);
    assert_null(vm_form_file(&form, "a"));
    assert_int_equal(vm_form_file(&form, "f")->data.len, 12);
    assert_memory_equal(vm_form_file(&form, "f")->data.data,
                        "\r\n--xy\r\n\r\n--", 12);

    o = vm_form_json(&form);

    assert_string_equal(json_string_value(json_object_get(o, "a")), "2");
    assert_string_equal(json_string_value(json_object_get(o, "b")), "");
    assert_string_equal(json_string_value(json_object_get(o, "q\"q")),
                        "\xc3\xbf");
    assert_int_equal(json_array_size(json_object_get(o, "list[]")), 2);
    assert_true(json_is_object(json_object_get(o, "f")));

    json_decref(o);
    vm_pool_destroy(pool);
}


static const struct {
    const char  *type;
    const char  *body;
    size_t       parts;
    const char  *error;             /* NULL: none */
} forms[] = {
    { NULL, "--x", 0, NULL },
    { "application/json", "{}", 0, NULL },
    { "multipart/form-dataset; boundary=x", END, 0, NULL },
    { "multipart/form-data", END, 0, "Missing boundary in multipart." },
    { "multipart/form-data; boundary=", END, 0,
      "Missing boundary in multipart." },
    { "MULTIPART/Form-Data ; a=b; Boundary=\"x\"", FIELD("a", "1") END, 1,
      NULL },
    { TYPE, "", 0, NULL },
    { TYPE, "--", 0, NULL },
    { TYPE, END, 0, NULL },
    { TYPE, "\r\n\r\n" FIELD("a", "1") END, 1, NULL },
    { TYPE, "abc", 0, "Invalid multipart data." },
    { TYPE, "--xabc", 0, "Invalid multipart data." },
    { TYPE, "--x\r\n\r\nhi\r\n" END, 0,
      "The Content-Disposition header field \"name\" must be provided." },
    { TYPE, PART("", "1") END, 0,
      "The Content-Disposition header field \"name\" must be provided." },
    { TYPE, "--x\r\nContent Disposition: a\r\n\r\nhi\r\n" END, 0,
      "Invalid multipart data." },
    { TYPE, "--x\r\nContent-Disposition\r\n\r\nhi\r\n" END, 0,
      "Invalid multipart data." },
    { TYPE, "--x\r\nContent-Disposition: form-data; name=a", 0, NULL },
    { TYPE, "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nhi", 0,
      NULL },
    { TYPE, FIELD("a", "1") "--x", 1, NULL },
    { TYPE, FIELD("a", "1"), 0, NULL },
    { TYPE, "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n" END, 1,
      NULL },
    { TYPE, "--x\r\nContent-Disposition: form-data; name=a; filename*=u''b"
            "\r\n\r\nz\r\n" END, 1, NULL }
};


static void
test_shapes(void **state)
{
    size_t    i;
    parsed_t  p;

    (void) state;

    for (i = 0; i < vm_nelts(forms); i++) {
        parse(&p, forms[i].type, forms[i].body, strlen(forms[i].body));

        if (forms[i].error) {
            assert_int_equal(p.rc, VM_ERROR);
            assert_int_equal(p.error.status, 400);
            assert_string_equal(p.error.message, forms[i].error);

        } else {
            assert_int_equal(p.rc, VM_OK);
            assert_int_equal(p.form.n, forms[i].parts);
        }

        done(&p);
    }
}


static void
repeat(vm_buf_t *b, const char *part, size_t n)
{
    vm_buf_init(b);

    while (n--) {
        vm_buf_str(b, part);
    }

    vm_buf_str(b, END);
}


static void
test_limits(void **state)
{
    size_t    i;
    vm_buf_t  b;
    parsed_t  p;

    (void) state;

    for (i = 0; i < 2; i++) {
        repeat(&b, i ? FIELD("a", "1") : FILE_("a", "1"), 1000);
        parse(&p, TYPE, b.data, b.len);
        assert_int_equal(p.form.n, 1000);
        done(&p);
        vm_buf_free(&b);

        repeat(&b, i ? FIELD("a", "1") : FILE_("a", "1"), 1001);
        parse(&p, TYPE, b.data, b.len);
        assert_string_equal(p.error.message,
                            i ? "Too many fields. Maximum number of fields "
                                "is 1000."
                              : "Too many files. Maximum number of files is "
                                "1000.");
        done(&p);
        vm_buf_free(&b);
    }

    vm_buf_init(&b);
    vm_buf_str(&b, "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n");
    i = b.len;

    while (b.len <= i + VM_FORM_FIELD) {
        vm_buf_char(&b, 'a');
    }

    vm_buf_str(&b, "\r\n" END);
    parse(&p, TYPE, b.data, b.len);
    assert_string_equal(p.error.message,
                        "Part exceeded maximum size of 1024KB.");
    done(&p);
    vm_buf_free(&b);
}


static void
test_wav(void **state)
{
    size_t    i, was;
    double    seconds;
    vm_buf_t  b, other;

    (void) state;

    vm_buf_init(&b);
    vm_wav_header(&b, VM_WAV_RATE / 2);
    assert_int_equal(b.len, VM_WAV_HEADER);
    vm_wav_voice(&b, 7, 0, VM_WAV_RATE / 2);
    assert_int_equal(b.len, VM_WAV_HEADER + VM_WAV_RATE);

    assert_int_equal(vm_wav_seconds(b.data, b.len, &seconds), VM_OK);
    assert_float_equal(seconds, 0.5, 1e-9);

    /* its end cut off: what is there counts */

    assert_int_equal(vm_wav_seconds(b.data, VM_WAV_HEADER + 12000, &seconds),
                     VM_OK);
    assert_float_equal(seconds, 0.25, 1e-9);

    for (i = 0; i < VM_WAV_HEADER; i++) {
        assert_int_equal(vm_wav_seconds(b.data, i, &seconds),
                         i < 12 ? VM_DECLINED : VM_ERROR);
    }

    /* in pieces it sounds the same */

    vm_buf_init(&other);
    vm_wav_voice(&other, 7, 0, 5001);
    vm_wav_voice(&other, 7, 5001, VM_WAV_RATE / 2);
    assert_memory_equal(other.data, b.data + VM_WAV_HEADER, other.len);

    was = other.len;
    vm_wav_voice(&other, 8, 0, VM_WAV_RATE / 2);
    assert_memory_not_equal(other.data + was, other.data, was);

    vm_buf_free(&other);
    vm_buf_free(&b);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_wav)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
