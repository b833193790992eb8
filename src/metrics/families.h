/*
 * The table of vLLM's metric families, in the order of the text: what the
 * renderer prints, and what overrides can name.  Private to this room.
 */

#ifndef VM_FAMILIES_H
#define VM_FAMILIES_H


#include "metrics.h"


typedef enum {
    VM_FAMILY_GAUGE,
    VM_FAMILY_COUNTER,
    VM_FAMILY_HISTOGRAM,
    VM_FAMILY_INFO                  /* a gauge with a printer of its own */
} vm_family_type_e;

typedef enum {
    VM_SCOPE_ENGINE,                /* labels engine and model_name */
    VM_SCOPE_MODEL                  /* model_name alone, engines summed up */
} vm_family_scope_e;

/* flags */

#define VM_FAMILY_LEGACY  1         /* an old name: with `legacy` only */
#define VM_FAMILY_SCALED  2         /* its first series is total / replicas */
#define VM_FAMILY_LORA    4         /* with LoRA only */

#define VM_FAMILY_SERIES  5         /* values of a label, at most */
#define VM_FIELD_ZERO     UINT16_MAX


typedef struct vm_family_s  vm_family_t;

/* What stats give: of one engine, or of `n` that were added up. */
typedef double (*vm_family_value_pt)(const vm_scrape_t *s,
    const vm_stats_t *stats, uint32_t n, uint32_t i);

struct vm_family_s {
    const char          *name;      /* as in HELP and TYPE */
    const char          *help;
    vm_family_type_e     type;
    vm_family_scope_e    scope;
    uint32_t             flags;

    /* a label besides the scope's, and its values; else one series */
    const char          *label;
    const char          *values[VM_FAMILY_SERIES];

    /* a function; or offsets in vm_stats_t, of histograms or uint64_t */
    vm_family_value_pt   value;
    uint16_t             fields[VM_FAMILY_SERIES];

    /* an override of this family counts here too, unless there is an own */
    const char          *alias;
    const char          *percent;   /* likewise, as a percentage above 1 */

    void               (*print)(vm_buf_t *out, const vm_scrape_t *s,
                                const vm_family_t *f);
};


extern const vm_family_t  vm_families[];
extern const uint32_t     vm_nfamilies;


/* How many series of one engine. */
uint32_t vm_family_series(const vm_family_t *f);

/* Without "vllm:"; VM_NEVER if there is none. */
uint32_t vm_family_find(const char *name, size_t len);


/*
 * A metric's number, as overrides know it: a series of a family, _count or
 * _sum of a histogram (series 0 and 1), or one that is no family.
 */

#define vm_family_metric(f, i)     ((f) * 8 + (i))
#define VM_METRIC_TOTAL            0xff00
#define VM_METRIC_SERVER_LOAD      0xff01
#define VM_METRIC_CPU_RUNNING      0xff02


/* ---- lines of the text ---- */

/* A label that is printed; a list ends with a NULL name. */
typedef struct {
    const char  *name;
    vm_str_t     value;
} vm_label_t;

/* HELP and TYPE; `suffix` follows the name. */
void vm_expose_family(vm_buf_t *out, const char *name, const char *suffix,
    const char *help, const char *type);

/* The same for the family of creation times of a counter, histogram, ... */
void vm_expose_created(vm_buf_t *out, const char *name, const char *help);

/* "name_suffix{labels} ", to which the caller adds a value and a newline. */
void vm_expose_name(vm_buf_t *out, const char *name, const char *suffix,
    const vm_label_t *labels);

/* A whole line. */
void vm_expose_sample(vm_buf_t *out, const char *name, const char *suffix,
    const vm_label_t *labels, double value);

/* The creation time, below the name of vm_expose_created(). */
void vm_expose_created_sample(vm_buf_t *out, const char *name,
    const vm_label_t *labels, double value);

/*
 * The lines of a histogram.  `labels` are sorted and do not have `le`; counts
 * are per bucket, one more than bounds.  `count` and `sum` may be other than
 * what was counted: no bucket shows more than `count` then.
 */
void vm_expose_histogram(vm_buf_t *out, const char *name,
    const vm_label_t *labels, const vm_hist_t *h);
void vm_expose_buckets(vm_buf_t *out, const char *name,
    const vm_label_t *labels, const double *bounds, const uint64_t *counts,
    uint32_t n, double count, double sum);


/* ---- families that are not in the table ---- */

void vm_http_stats_render(vm_buf_t *out, const vm_scrape_t *s);
void vm_sleep_stats_render(vm_buf_t *out, const vm_scrape_t *s);
void vm_parser_stats_render(vm_buf_t *out, const vm_scrape_t *s);


#endif /* VM_FAMILIES_H */
