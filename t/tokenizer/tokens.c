/*
 * A tokenizer at work for tests and the benchmark: reads texts from standard
 * input, each behind its length (4 bytes, as all numbers), and writes what
 * becomes of them.
 *
 *   tokens encode FILE [CONFIG]   n and n ids, for each text
 *   tokens decode FILE [CONFIG]   texts are ids; their texts, behind lengths
 *   tokens write FILE [CONFIG]    a text is a lead (none: words alone); what
 *                                 is written behind it: n, n ids, then text
 *   tokens time FILE [CONFIG]     milliseconds to encode each
 *   tokens info FILE [CONFIG]     vocabulary, begin, end, longest, words
 *   tokens memory FILE [CONFIG]   bytes that the tokenizer keeps
 */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "../../src/base/rand.h"
#include "../../src/text/writer.h"


#define WRITTEN  40                     /* words behind a lead */


static char *
slurp(FILE *f, size_t *len)
{
    char    *data;
    size_t   n, size;

    size = 1 << 16;
    *len = 0;
    data = malloc(size);

    while (data && (n = fread(data + *len, 1, size - *len, f)) > 0) {
        *len += n;

        if (*len == size) {
            size *= 2;
            data = realloc(data, size);
        }
    }

    return data;
}


static vm_str_t
file(const char *name)
{
    FILE      *f;
    vm_str_t   s;

    f = fopen(name, "rb");

    if (f == NULL) {
        perror(name);
        exit(2);
    }

    s.data = slurp(f, &s.len);
    fclose(f);

    return s;
}


static void
number(uint32_t n)
{
    fwrite(&n, sizeof(n), 1, stdout);
}


static void
list(const vm_ids_t *ids)
{
    number((uint32_t) ids->n);

    if (ids->n) {
        fwrite(ids->ids, sizeof(uint32_t), ids->n, stdout);
    }
}


/* The ids of a lead and the words behind it, and the text that they are. */

static void
write_text(const vm_tokenizer_t *t, const char *lead, size_t len, uint64_t key)
{
    uint32_t     i, n;
    vm_buf_t     text;
    vm_ids_t     ids, out;
    vm_str_t     s;
    vm_writer_t  w;

    vm_ids_init(&ids);
    vm_ids_init(&out);
    vm_buf_init(&text);

    memset(&w, 0, sizeof(w));
    w.tokenizer = t;
    w.key = vm_rand_mix(key);

    if (len && vm_writer_lead(&w, lead, len, &ids) != VM_OK) {
        exit(2);
    }

    n = w.nlead + WRITTEN;

    for (i = 0; i < n; i++) {
        vm_ids_add(&out, vm_writer_token(&w, i));
        s = i ? vm_tokenizer_bytes(t, out.ids[i])
              : vm_tokenizer_first(t, out.ids[i]);
        vm_buf_add(&text, s.data, s.len);
    }

    list(&out);
    number((uint32_t) text.len);
    fwrite(text.data, 1, text.len, stdout);

    vm_ids_free(&ids);
    vm_ids_free(&out);
    vm_buf_free(&text);
}


static void
one(const vm_tokenizer_t *t, char what, const char *text, uint32_t len)
{
    vm_buf_t         b;
    vm_ids_t         ids;
    struct timespec  from, to;

    static uint64_t  key;

    vm_buf_init(&b);
    vm_ids_init(&ids);

    switch (what) {

    case 'd':
        vm_tokenizer_decode(t, (const uint32_t *) text, len / 4, &b);
        number((uint32_t) b.len);
        fwrite(b.data, 1, b.len, stdout);
        break;

    case 'w':
        write_text(t, text, len, key++);
        break;

    default:
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);

        if (vm_tokenizer_encode(t, text, len, 0, &ids) != VM_OK) {
            exit(2);
        }

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);

        if (what == 'e') {
            list(&ids);

        } else {
            printf("%.2f %zu\n", (double) (to.tv_sec - from.tv_sec) * 1e3
                                 + (double) (to.tv_nsec - from.tv_nsec) / 1e6,
                   ids.n);
        }
    }

    vm_buf_free(&b);
    vm_ids_free(&ids);
}


int
main(int argc, char **argv)
{
    char            *text, err[500];
    size_t           at, len;
    uint32_t         n;
    vm_str_t         config, content;
    const char      *name;
    vm_tokenizer_t  *t;
    struct mallinfo2  kept;

    if (argc < 3) {
        fprintf(stderr, "usage: tokens encode|decode|write|time|info|memory "
                "FILE [CONFIG]\n");
        return 2;
    }

    if (strcmp(argv[2], "builtin") == 0) {
        t = vm_tokenizer_builtin();

    } else {
        content = file(argv[2]);
        config.data = NULL;

        if (argc > 3) {
            config = file(argv[3]);
        }

        name = strrchr(argv[2], '/');
        t = vm_tokenizer_load(name ? name + 1 : argv[2], content,
                              argc > 3 ? &config : NULL, err, sizeof(err));
        free((void *) content.data);
        free((void *) config.data);
    }

    if (t == NULL) {
        fprintf(stderr, "%s\n", err);
        return 1;
    }

    if (argv[1][0] == 'm') {
        kept = mallinfo2();
        printf("%zu\n", kept.uordblks + kept.hblkhd);

    } else if (argv[1][0] == 'i') {
        printf("%u %d %d %u %u\n", vm_tokenizer_vocab(t),
               (int) vm_tokenizer_bos(t), (int) vm_tokenizer_eos(t),
               vm_tokenizer_longest(t), vm_tokenizer_words(t)->n);

    } else {
        text = slurp(stdin, &len);

        for (at = 0; at + 4 <= len; at += 4 + n) {
            memcpy(&n, text + at, 4);
            one(t, argv[1][0], text + at + 4, n);
        }

        free(text);
    }

    vm_tokenizer_free(t);

    return 0;
}
