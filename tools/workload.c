/*
 * Reading traces.
 */

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "workload.h"
#include "../src/base/rand.h"


#define VM_COLUMNS  16


typedef struct vm_reader_s  vm_reader_t;

typedef int (*vm_column_pt)(vm_reader_t *r, vm_wreq_t *q, char *field);

struct vm_reader_s {
    vm_workload_t  *workload;
    const char     *name;
    uint32_t        line;
    char           *err;
    size_t          errlen;
    uint32_t        size;           /* of the requests */
    uint64_t        idsize;
    uint32_t        columns[VM_COLUMNS];    /* rows of vm_columns */
    uint32_t        ncolumns;
    int64_t         epoch;          /* Unix second of a trace with dates */
    unsigned        dated;
    char          **groups;         /* names by a hash, open addressing */
    uint32_t       *numbers;
    uint32_t        ngroups;
    uint32_t        groupsize;
};

typedef enum {
    VM_COLUMN_ARRIVAL,
    VM_COLUMN_PROMPT,
    VM_COLUMN_OUTPUT,
    VM_COLUMN_GROUP,
    VM_COLUMN_SHARED,
    VM_COLUMN_PRIORITY,
    VM_COLUMN_LORA,
    VM_COLUMN_IDS
} vm_column_e;

typedef struct {
    const char    *name;
    vm_column_e    what;
    vm_column_pt   read;
} vm_column_t;


static int vm_column_arrival(vm_reader_t *r, vm_wreq_t *q, char *field);
static int vm_column_timestamp(vm_reader_t *r, vm_wreq_t *q, char *field);
static int vm_column_prompt(vm_reader_t *r, vm_wreq_t *q, char *field);
static int vm_column_output(vm_reader_t *r, vm_wreq_t *q, char *field);
static int vm_column_group(vm_reader_t *r, vm_wreq_t *q, char *field);
static int vm_column_shared(vm_reader_t *r, vm_wreq_t *q, char *field);
static int vm_column_priority(vm_reader_t *r, vm_wreq_t *q, char *field);
static int vm_column_lora(vm_reader_t *r, vm_wreq_t *q, char *field);
static int vm_column_ids(vm_reader_t *r, vm_wreq_t *q, char *field);


static const vm_column_t  vm_columns[] = {
    { "arrival_s", VM_COLUMN_ARRIVAL, vm_column_arrival },
    { "prompt_tokens", VM_COLUMN_PROMPT, vm_column_prompt },
    { "output_tokens", VM_COLUMN_OUTPUT, vm_column_output },
    { "prefix_group", VM_COLUMN_GROUP, vm_column_group },
    { "prefix_tokens", VM_COLUMN_SHARED, vm_column_shared },
    { "priority", VM_COLUMN_PRIORITY, vm_column_priority },
    { "lora", VM_COLUMN_LORA, vm_column_lora },
    { "prompt_token_ids", VM_COLUMN_IDS, vm_column_ids },

    /* of Azure's traces */

    { "TIMESTAMP", VM_COLUMN_ARRIVAL, vm_column_timestamp },
    { "ContextTokens", VM_COLUMN_PROMPT, vm_column_prompt },
    { "GeneratedTokens", VM_COLUMN_OUTPUT, vm_column_output }
};


static int
vm_reader_error(vm_reader_t *r, const char *fmt, ...)
{
    int      n;
    va_list  args;

    n = snprintf(r->err, r->errlen, "%s:%u: ", r->name, r->line);

    if (n > 0 && (size_t) n < r->errlen) {
        va_start(args, fmt);
        vsnprintf(r->err + n, r->errlen - (size_t) n, fmt, args);
        va_end(args);
    }

    return VM_ERROR;
}


/*
 * The next field of a line, without its quotes; *at goes behind its comma, to
 * NULL after the last one.
 */

static char *
vm_reader_field(char **at)
{
    char  *field, *to, *p;
    int    quoted;

    p = *at;
    field = p;
    to = p;
    quoted = 0;

    for ( ; *p && (quoted || *p != ','); p++) {

        if (*p != '"') {
            *to++ = *p;

        } else if (quoted && p[1] == '"') {
            *to++ = *p++;

        } else {
            quoted = !quoted;
        }
    }

    *at = *p ? p + 1 : NULL;
    *to = '\0';

    while (*field == ' ' || *field == '\t') {
        field++;
    }

    while (to > field && (to[-1] == ' ' || to[-1] == '\t')) {
        *--to = '\0';
    }

    return field;
}


static int
vm_reader_has(const vm_reader_t *r, vm_column_e what)
{
    uint32_t  i;

    for (i = 0; i < r->ncolumns; i++) {
        if (vm_columns[r->columns[i]].what == what) {
            return 1;
        }
    }

    return 0;
}


static int
vm_reader_header(vm_reader_t *r, char *line)
{
    char      *field;
    uint32_t   i;

    if ((unsigned char) line[0] == 0xef && (unsigned char) line[1] == 0xbb
        && (unsigned char) line[2] == 0xbf)
    {
        line += 3;
    }

    while (line) {
        field = vm_reader_field(&line);

        for (i = 0; i < vm_nelts(vm_columns); i++) {
            if (strcmp(field, vm_columns[i].name) == 0) {
                break;
            }
        }

        if (i == vm_nelts(vm_columns)) {
            return vm_reader_error(r, "unknown column \"%s\": arrival_s, "
                                   "prompt_tokens, output_tokens, prefix_group"
                                   ", prefix_tokens, priority, lora and "
                                   "prompt_token_ids are known, and Azure's "
                                   "TIMESTAMP, ContextTokens, "
                                   "GeneratedTokens", field);
        }

        if (vm_reader_has(r, vm_columns[i].what)) {
            return vm_reader_error(r, "column \"%s\" stands twice", field);
        }

        r->columns[r->ncolumns++] = i;
    }

    /* the ids of a prompt tell how many there are */

    for (i = 0; i < 3; i++) {
        if (!vm_reader_has(r, vm_columns[i].what)
            && !(vm_columns[i].what == VM_COLUMN_PROMPT
                 && vm_reader_has(r, VM_COLUMN_IDS)))
        {
            return vm_reader_error(r, "no column \"%s\"", vm_columns[i].name);
        }
    }

    return VM_OK;
}


static int
vm_reader_row(vm_reader_t *r, char *line)
{
    void           *p;
    char           *field;
    uint32_t        i;
    vm_wreq_t      *q;
    vm_workload_t  *w;

    w = r->workload;

    if (w->n == r->size) {
        r->size = r->size ? r->size * 2 : 1024;
        p = realloc(w->requests, r->size * sizeof(vm_wreq_t));

        if (p == NULL) {
            return vm_reader_error(r, "out of memory");
        }

        w->requests = p;
    }

    q = &w->requests[w->n];
    memset(q, 0, sizeof(vm_wreq_t));
    q->line = r->line;
    q->arrival = VM_TIME_NONE;
    q->scheduled = VM_TIME_NONE;
    q->first_token = VM_TIME_NONE;
    q->last_token = VM_TIME_NONE;

    for (i = 0; line; i++) {
        field = vm_reader_field(&line);

        if (i == r->ncolumns) {
            return vm_reader_error(r, "%u fields are expected, there are more",
                                   r->ncolumns);
        }

        if (*field
            && vm_columns[r->columns[i]].read(r, q, field) != VM_OK)
        {
            return VM_ERROR;
        }
    }

    if (i < r->ncolumns) {
        return vm_reader_error(r, "%u fields are expected, there are %u",
                               r->ncolumns, i);
    }

    if (q->arrival == VM_TIME_NONE || q->prompt == 0 || q->output == 0) {
        return vm_reader_error(r, "arrival_s, prompt_tokens and output_tokens "
                               "must not be empty");
    }

    q->shared = q->group ? vm_min(q->shared, q->prompt) : 0;
    w->n++;

    return VM_OK;
}


int
vm_workload_read(vm_workload_t *w, const char *name, char *text, char *err,
    size_t errlen)
{
    int          rc;
    char        *line, *end;
    vm_reader_t  r;

    memset(w, 0, sizeof(vm_workload_t));
    memset(&r, 0, sizeof(vm_reader_t));
    w->text = text;
    r.workload = w;
    r.name = name;
    r.err = err;
    r.errlen = errlen;
    rc = VM_OK;

    for (line = text; line && rc == VM_OK; line = end) {
        end = strchr(line, '\n');

        if (end) {
            *end++ = '\0';
        }

        r.line++;

        if (*line && line[strlen(line) - 1] == '\r') {
            line[strlen(line) - 1] = '\0';
        }

        if (*line == '\0') {
            continue;
        }

        rc = r.ncolumns ? vm_reader_row(&r, line)
                        : vm_reader_header(&r, line);
    }

    free(r.groups);
    free(r.numbers);

    if (rc == VM_OK && w->n == 0) {
        rc = vm_reader_error(&r, "no requests");
    }

    return rc;
}


void
vm_workload_free(vm_workload_t *w)
{
    free(w->requests);
    free(w->loras);
    free(w->ids);
    free(w->text);
    memset(w, 0, sizeof(vm_workload_t));
}


static int
vm_column_count(vm_reader_t *r, const char *column, const char *field,
    uint32_t min, uint32_t *out)
{
    char                *end;
    unsigned long long   n;

    errno = 0;
    n = strtoull(field, &end, 10);

    if (*field < '0' || *field > '9' || *end || errno || n < min
        || n > 1u << 30)
    {
        return vm_reader_error(r, "invalid value \"%s\" of %s: a whole number "
                               "from %u to %u is expected", field, column, min,
                               1u << 30);
    }

    *out = (uint32_t) n;

    return VM_OK;
}


static int
vm_column_arrival(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    char    *end;
    double   d;

    d = strtod(field, &end);

    if (end == field || *end || !(d >= 0 && d <= 1e9)) {
        return vm_reader_error(r, "invalid value \"%s\" of arrival_s: seconds "
                               "from 0 to 1e9 are expected", field);
    }

    q->arrival = (vm_time_t) llrint(d * 1e9);

    return VM_OK;
}


/*
 * "2023-11-16 18:15:46.6805900", UTC, or with an offset of 0 behind it.  The
 * second of the first row is the trace's 0; of whole seconds, as doubles have
 * no room for more.
 */

static int
vm_column_timestamp(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    int        used;
    char      *end;
    double     fraction;
    int64_t    second;
    struct tm  tm;

    memset(&tm, 0, sizeof(tm));
    used = 0;

    if (sscanf(field, "%4d-%2d-%2d%*1[ T]%2d:%2d:%2d%n", &tm.tm_year,
               &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
               &used)
        != 6)
    {
        used = 0;
    }

    end = field + used;
    fraction = *end == '.' ? strtod(end, &end) : 0;

    if (used == 0
        || (*end && strcmp(end, "Z") != 0 && strcmp(end, "+00:00") != 0))
    {
        return vm_reader_error(r, "invalid value \"%s\" of TIMESTAMP: "
                               "YYYY-MM-DD HH:MM:SS.FRACTION is expected",
                               field);
    }

    tm.tm_year -= 1900;
    tm.tm_mon--;
    second = timegm(&tm);

    if (!r->dated) {
        r->epoch = second;
        r->dated = 1;
    }

    if (second < r->epoch) {
        return vm_reader_error(r, "TIMESTAMP %s is before the first row's",
                               field);
    }

    q->arrival = (second - r->epoch) * VM_NSEC
                 + (vm_time_t) llrint(fraction * 1e9);

    return VM_OK;
}


static int
vm_column_prompt(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    uint32_t  n;

    if (vm_column_count(r, "prompt_tokens", field, 1, &n) != VM_OK) {
        return VM_ERROR;
    }

    if (q->prompt && q->prompt != n) {
        return vm_reader_error(r, "prompt_tokens is %u, but there are %u "
                               "prompt_token_ids", n, q->prompt);
    }

    q->prompt = n;

    return VM_OK;
}


static int
vm_column_output(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    return vm_column_count(r, "output_tokens", field, 1, &q->output);
}


static int
vm_column_shared(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    return vm_column_count(r, "prefix_tokens", field, 0, &q->shared);
}


static int
vm_column_priority(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    char       *end;
    long long   n;

    errno = 0;
    n = strtoll(field, &end, 10);

    if (end == field || *end || errno) {
        return vm_reader_error(r, "invalid value \"%s\" of priority: a whole "
                               "number is expected", field);
    }

    q->priority = n;

    return VM_OK;
}


/* The number of a prefix group's name, from 1. */

static int
vm_column_group(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    char      **groups;
    uint32_t   *numbers, i, k, size;

    if (r->ngroups * 2 >= r->groupsize) {
        size = r->groupsize ? r->groupsize * 4 : 256;
        groups = calloc(size, sizeof(char *));
        numbers = calloc(size, sizeof(uint32_t));

        if (groups == NULL || numbers == NULL) {
            free(groups);
            free(numbers);
            return vm_reader_error(r, "out of memory");
        }

        for (i = 0; i < r->groupsize; i++) {

            if (r->groups[i] == NULL) {
                continue;
            }

            k = (uint32_t) vm_rand_bytes(r->groups[i], strlen(r->groups[i]), 0)
                & (size - 1);

            while (groups[k]) {
                k = (k + 1) & (size - 1);
            }

            groups[k] = r->groups[i];
            numbers[k] = r->numbers[i];
        }

        free(r->groups);
        free(r->numbers);
        r->groups = groups;
        r->numbers = numbers;
        r->groupsize = size;
    }

    k = (uint32_t) vm_rand_bytes(field, strlen(field), 0)
        & (r->groupsize - 1);

    while (r->groups[k] && strcmp(r->groups[k], field) != 0) {
        k = (k + 1) & (r->groupsize - 1);
    }

    if (r->groups[k] == NULL) {
        r->groups[k] = field;
        r->numbers[k] = ++r->ngroups;
    }

    q->group = r->numbers[k];

    return VM_OK;
}


static int
vm_column_lora(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    void           *p;
    uint32_t        i;
    vm_workload_t  *w;

    w = r->workload;

    for (i = 0; i < w->nloras && strcmp(w->loras[i], field) != 0; i++) {
        /* void */
    }

    if (i == w->nloras) {
        p = realloc(w->loras, (i + 1) * sizeof(char *));

        if (p == NULL) {
            return vm_reader_error(r, "out of memory");
        }

        w->loras = p;
        w->loras[w->nloras++] = field;
    }

    q->lora = i + 1;

    return VM_OK;
}


/* Separated by spaces, with or without brackets and commas around them. */

static int
vm_column_ids(vm_reader_t *r, vm_wreq_t *q, char *field)
{
    char           *end;
    void           *p;
    uint32_t        n;
    unsigned long   id;
    vm_workload_t  *w;

    w = r->workload;
    q->ids = field;
    q->ids_at = w->nids;
    n = 0;

    for ( ;; ) {
        field += strspn(field, " ,;[]");

        if (*field == '\0') {
            break;
        }

        id = strtoul(field, &end, 10);

        if (end == field || *field == '-' || id > UINT32_MAX) {
            return vm_reader_error(r, "invalid prompt_token_ids at \"%.20s\": "
                                   "whole numbers are expected", field);
        }

        if (w->nids == r->idsize) {
            r->idsize = r->idsize ? r->idsize * 2 : 65536;
            p = realloc(w->ids, r->idsize * sizeof(uint32_t));

            if (p == NULL) {
                return vm_reader_error(r, "out of memory");
            }

            w->ids = p;
        }

        w->ids[w->nids++] = (uint32_t) id;
        n++;
        field = end;
    }

    if (n == 0) {
        return vm_reader_error(r, "prompt_token_ids holds no numbers");
    }

    if (q->prompt && q->prompt != n) {
        return vm_reader_error(r, "prompt_tokens is %u, but there are %u "
                               "prompt_token_ids", q->prompt, n);
    }

    q->prompt = n;

    return VM_OK;
}
