/*
 * vllm-mock-replay: traces and scenarios on the simulated engine, in virtual
 * time.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "device.h"
#include "report.h"
#include "scenario.h"
#include "simulate.h"
#include "../src/engine/fit.h"
#include "../src/engine/known.h"
#include "../src/engine/options.h"


typedef struct {
    const char        *trace;
    const char        *scenario;
    const char        *profile;
    const char        *latency;
    const char        *perfetto;
    const char        *metrics;         /* a file; "" is standard output */
    const char        *model;
    const char        *device;
    const char        *simulated;       /* --model */
    const char        *profiles;
    uint32_t           tp;
    vm_report_e        format;
    vm_fit_t           given;           /* engine settings */
    unsigned           plan:1;
    unsigned           cpu_overhead:1;
    vm_engine_conf_t   conf;
} vm_replay_t;

typedef int (*vm_flag_pt)(vm_replay_t *r, const char *value);

typedef struct {
    const char  *name;
    const char  *value;                 /* what it takes; NULL: nothing */
    vm_flag_pt   set;                   /* NULL: the value as it is... */
    size_t       text;                  /* ...goes here in vm_replay_t */
    const char  *help;
} vm_flag_t;

#define vm_flag_text(field)  NULL, offsetof(vm_replay_t, field)


static int vm_flag_plan(vm_replay_t *r, const char *value);
static int vm_flag_cpu_overhead(vm_replay_t *r, const char *value);
static int vm_flag_time_scale(vm_replay_t *r, const char *value);
static int vm_flag_seed(vm_replay_t *r, const char *value);
static int vm_flag_format(vm_replay_t *r, const char *value);
static int vm_flag_metrics(vm_replay_t *r, const char *value);
static int vm_flag_tp(vm_replay_t *r, const char *value);
static int vm_flag_help(vm_replay_t *r, const char *value);


static const vm_flag_t  vm_flags[] = {
    { "--scenario", "FILE", vm_flag_text(scenario),
      "a scenario of the scheduler's recordings instead of a trace" },
    { "--plan", NULL, vm_flag_plan, 0,
      "with --scenario: print its plan, step by step, as JSON" },
    { "--profile", "FILE", vm_flag_text(profile),
      "step times by a file below profiles/" },
    { "--device", "NAME", vm_flag_text(device),
      "a GPU (h100): the profile of --model there, and what vLLM derives of "
      "both" },
    { "--model", "NAME", vm_flag_text(simulated),
      "the model, by the names of profiles/index.json" },
    { "--tensor-parallel-size", "N", vm_flag_tp, 0,
      "GPUs of --device; the fewest there is a profile of" },
    { "--profiles", "DIRECTORY", vm_flag_text(profiles),
      "where --device looks (profiles beside the program's directory)" },
    { "--latency", "\"MODEL KEY=VALUE ...\"", vm_flag_text(latency),
      "another latency model, as vllm_mock_latency takes it" },
    { "--cpu-overhead", NULL, vm_flag_cpu_overhead, 0,
      "add the profile's CPU overhead of a step, if it has one" },
    { "--time-scale", "FACTOR", vm_flag_time_scale, 0,
      "multiply all times (1)" },
    { "--seed", "N", vm_flag_seed, 0, "of everything random (0)" },
    { "--format", "csv|json", vm_flag_format, 0,
      "of the rows and of the summary (csv)" },
    { "--metrics", NULL, vm_flag_metrics, 0,
      "print the /metrics text at the end instead of the rows; "
      "--metrics=FILE: both" },
    { "--model-name", "NAME", vm_flag_text(model), "model_name in that text" },
    { "--perfetto", "FILE", vm_flag_text(perfetto),
      "write the run as a trace for ui.perfetto.dev" },
    { "--help", NULL, vm_flag_help, 0, "this text" }
};


static int
vm_replay_error(const char *text, const char *what)
{
    fprintf(stderr, "vllm-mock-replay: %s%s%s\n", text, what ? " " : "",
            what ? what : "");

    return VM_ERROR;
}


/* The whole file with a NUL behind it, or NULL after a message. */

static char *
vm_replay_read(const char *name, size_t *len)
{
    FILE    *f;
    char    *text, *p;
    size_t   size, n;

    f = fopen(name, "rb");

    if (f == NULL) {
        fprintf(stderr, "vllm-mock-replay: %s: %s\n", name, strerror(errno));
        return NULL;
    }

    size = 65536;
    text = malloc(size);
    *len = 0;

    while (text) {
        n = fread(text + *len, 1, size - *len - 1, f);
        *len += n;

        if (n == 0) {
            break;
        }

        if (size - *len < 2) {
            size *= 2;
            p = realloc(text, size);

            if (p == NULL) {
                free(text);
            }

            text = p;
        }
    }

    if (text == NULL) {
        vm_replay_error("out of memory", NULL);

    } else if (ferror(f)) {
        fprintf(stderr, "vllm-mock-replay: %s: %s\n", name, strerror(errno));
        free(text);
        text = NULL;

    } else {
        text[*len] = '\0';
    }

    fclose(f);

    return text;
}


static int
vm_flag_plan(vm_replay_t *r, const char *value)
{
    (void) value;
    r->plan = 1;

    return VM_OK;
}


static int
vm_flag_cpu_overhead(vm_replay_t *r, const char *value)
{
    (void) value;
    r->cpu_overhead = 1;

    return VM_OK;
}


static int
vm_flag_time_scale(vm_replay_t *r, const char *value)
{
    char    *end;
    double   d;

    d = strtod(value, &end);

    if (end == value || *end || !(d >= 0 && d <= 1e6)) {
        fprintf(stderr, "vllm-mock-replay: invalid value \"%s\" of "
                "--time-scale: 0 to 1000000\n", value);
        return VM_ERROR;
    }

    r->conf.time_scale = d;

    return VM_OK;
}


static int
vm_flag_seed(vm_replay_t *r, const char *value)
{
    char  *end;

    errno = 0;
    r->conf.seed = strtoull(value, &end, 10);

    if (*value < '0' || *value > '9' || *end || errno) {
        fprintf(stderr, "vllm-mock-replay: invalid value \"%s\" of --seed: a "
                "whole number from 0\n", value);
        return VM_ERROR;
    }

    return VM_OK;
}


static int
vm_flag_format(vm_replay_t *r, const char *value)
{
    if (strcmp(value, "csv") == 0) {
        r->format = VM_REPORT_CSV;

    } else if (strcmp(value, "json") == 0) {
        r->format = VM_REPORT_JSON;

    } else {
        fprintf(stderr, "vllm-mock-replay: invalid value \"%s\" of --format: "
                "csv or json\n", value);
        return VM_ERROR;
    }

    return VM_OK;
}


static int
vm_flag_metrics(vm_replay_t *r, const char *value)
{
    r->metrics = value ? value : "";

    return VM_OK;
}


static int
vm_flag_tp(vm_replay_t *r, const char *value)
{
    long   n;
    char  *end;

    n = strtol(value, &end, 10);

    if (end == value || *end || n < 1 || n > 1024) {
        fprintf(stderr, "vllm-mock-replay: invalid value \"%s\" of "
                "--tensor-parallel-size: 1 to 1024\n", value);
        return VM_ERROR;
    }

    r->tp = (uint32_t) n;

    return VM_OK;
}


static int
vm_flag_help(vm_replay_t *r, const char *value)
{
    size_t              i;
    const char *const  *name;

    (void) r;
    (void) value;

    puts("vllm-mock-replay TRACE.csv [options]\n"
         "vllm-mock-replay --scenario FILE --plan\n\n"
         "A trace's columns: arrival_s, prompt_tokens, output_tokens "
         "[, prefix_group,\nprefix_tokens, priority, lora, "
         "prompt_token_ids];\nor Azure's: TIMESTAMP, ContextTokens, "
         "GeneratedTokens.\n");

    for (i = 0; i < vm_nelts(vm_flags); i++) {
        printf("  %s %s\n      %s\n", vm_flags[i].name,
               vm_flags[i].value ? vm_flags[i].value : "", vm_flags[i].help);
    }

    puts("\nand vLLM's names for the engine's settings, --no-NAME turning off "
         "what is on:\n");

    for (name = vm_option_names(); *name; name++) {
        printf("  %s\n", *name);
    }

    exit(0);
}


/* A switch may stand alone, or begin with "no". */

static int
vm_replay_switch(vm_replay_t *r, const char *name)
{
    int   off;
    char  err[256];

    off = strncmp(name, "no-", 3) == 0;

    return vm_option_set(&r->conf, off ? name + 3 : name, off ? "off" : "on",
                         err, sizeof(err));
}


static int
vm_replay_option(vm_replay_t *r, int argc, char **argv, int *i)
{
    int               takes;
    char              name[64], err[256];
    size_t            k, len;
    const char       *arg, *value;
    const vm_flag_t  *flag;

    arg = argv[*i];
    value = strchr(arg, '=');
    len = value ? (size_t) (value - arg) : strlen(arg);
    value = value ? value + 1 : NULL;

    if (len >= sizeof(name)) {
        return vm_replay_error("unknown option", arg);
    }

    memcpy(name, arg, len);
    name[len] = '\0';

    for (k = 0; k < vm_nelts(vm_flags); k++) {
        flag = &vm_flags[k];

        if (strcmp(flag->name, name) != 0) {
            continue;
        }

        if (flag->value && value == NULL) {

            if (*i + 1 == argc) {
                return vm_replay_error("a value is missing after", name);
            }

            value = argv[++*i];
        }

        if (flag->value == NULL && value && flag->set != vm_flag_metrics) {
            return vm_replay_error("no value is expected after", name);
        }

        if (flag->set) {
            return flag->set(r, value);
        }

        *(const char **) (void *) ((char *) r + flag->text) = value;

        return VM_OK;
    }

    /* the engine's own */

    if (value == NULL && vm_replay_switch(r, name + 2) == VM_OK) {

        /* "--async-scheduling off" */

        if (strncmp(name, "--no-", 5) != 0 && *i + 1 < argc
            && vm_option_set(&r->conf, name + 2, argv[*i + 1], err,
                             sizeof(err))
               == VM_OK)
        {
            ++*i;
        }

        return VM_OK;
    }

    takes = value == NULL && *i + 1 < argc;

    switch (vm_option_set(&r->conf, name + 2,
                          value ? value : takes ? argv[*i + 1] : "", err,
                          sizeof(err)))
    {

    case VM_OK:
        *i += takes;
        vm_fit_given(&r->given, name + 2);
        return VM_OK;

    case VM_DECLINED:
        return vm_replay_error("unknown option", name);

    default:
        return vm_replay_error(err, NULL);
    }
}


static int
vm_replay_latency(vm_replay_t *r)
{
    char          err[256], text[1024], *word, *value, *rest;
    vm_latency_t  *l;

    l = &r->conf.latency;

    if (strlen(r->latency) >= sizeof(text)) {
        return vm_replay_error("the value of --latency is too long", NULL);
    }

    strcpy(text, r->latency);
    word = strtok_r(text, " ", &rest);

    if (vm_latency_model(l, word ? word : "", err, sizeof(err)) != VM_OK) {
        return vm_replay_error(err, NULL);
    }

    if (l->model == VM_LATENCY_PROFILE) {
        return vm_replay_error("use --profile for that model", NULL);
    }

    for ( ;; ) {
        word = strtok_r(NULL, " ", &rest);

        if (word == NULL) {
            return VM_OK;
        }

        value = strchr(word, '=');

        if (value == NULL) {
            return vm_replay_error("--latency: KEY=VALUE is expected, not",
                                   word);
        }

        *value++ = '\0';

        if (vm_latency_set(l, word, value, err, sizeof(err)) != VM_OK) {
            return vm_replay_error(err, NULL);
        }
    }
}


static int
vm_replay_profile(vm_replay_t *r)
{
    int            rc;
    char           err[256], *text;
    size_t         len;
    vm_profile_t  *p;

    text = vm_replay_read(r->profile, &len);

    if (text == NULL) {
        return VM_ERROR;
    }

    p = &r->conf.latency.profile;
    vm_latency_model(&r->conf.latency, "profile", err, sizeof(err));
    r->conf.latency.cpu_overhead = r->cpu_overhead;
    rc = vm_profile_parse(p, text, len, err, sizeof(err));
    free(text);

    if (rc != VM_OK) {
        fprintf(stderr, "vllm-mock-replay: %s: %s\n", r->profile, err);
        return VM_ERROR;
    }

    /* as the recordings have it: that many also of another size */

    if (!r->given.blocks && r->device == NULL) {
        r->conf.num_gpu_blocks = p->num_blocks;
    }

    return VM_OK;
}


/* --device and --model: the profile, and what follows from both. */

static int
vm_replay_device(vm_replay_t *r)
{
    int    rc;
    char   text[512], *path;

    if (r->simulated == NULL) {
        return vm_replay_error("--device goes with --model", NULL);
    }

    path = vm_device_profile(r->profiles, r->device, r->simulated, r->tp,
                             vm_replay_read);

    if (path == NULL) {
        return VM_ERROR;
    }

    fprintf(stderr, "vllm-mock-replay: step times of %s\n", path);

    r->profile = path;
    rc = vm_replay_profile(r);
    r->profile = r->simulated;
    free(path);

    if (rc != VM_OK) {
        return rc;
    }

    r->given.known = vm_known_length(r->simulated);
    rc = vm_fit(&r->conf, &r->given, text, sizeof(text));

    if (*text) {
        vm_replay_error(text, NULL);
    }

    return rc;
}


/*
 * What vLLM refuses at its start only for want of a server's comfort, the
 * scheduler does: more places than tokens, fewer blocks than the longest
 * request takes.
 */

static int
vm_replay_check(const vm_engine_conf_t *conf)
{
    uint64_t          tokens;
    const char       *wrong;
    vm_engine_conf_t  c;

    c = *conf;
    c.max_num_seqs = vm_min(c.max_num_seqs, c.max_num_batched_tokens);

    if (c.max_model_len == 0) {
        return vm_replay_error("max_model_len auto goes with --device", NULL);
    }

    if (c.num_gpu_blocks > 1 && c.block_size) {
        tokens = (uint64_t) (c.num_gpu_blocks - 1) * c.block_size;
        c.max_model_len = (uint32_t) vm_min(c.max_model_len, tokens);
    }

    c.chunked_prefill = 1;
    wrong = vm_engine_check(&c);

    return wrong ? vm_replay_error(wrong, NULL) : VM_OK;
}


static int
vm_replay_scenario(const vm_replay_t *r)
{
    int       rc;
    char     *text, err[256];
    size_t    len;
    vm_buf_t  out;

    if (!r->plan) {
        return vm_replay_error("--scenario goes with --plan", NULL);
    }

    text = vm_replay_read(r->scenario, &len);

    if (text == NULL) {
        return VM_ERROR;
    }

    vm_buf_init(&out);
    rc = vm_scenario_plan(text, len, &out, err, sizeof(err));

    if (rc == VM_OK) {
        fwrite(out.data, 1, out.len, stdout);

    } else {
        fprintf(stderr, "vllm-mock-replay: %s: %s\n", r->scenario, err);
    }

    vm_buf_free(&out);
    free(text);

    return rc;
}


static int
vm_replay_results(const vm_replay_t *r, const vm_simulation_t *s)
{
    int          rc;
    FILE        *f;
    const char  *model;

    rc = VM_OK;
    model = r->model ? r->model
            : r->profile ? s->conf.latency.profile.model : "vllm-mock";

    if (r->metrics == NULL || *r->metrics) {
        vm_report_rows(stdout, r->format, s->workload);
    }

    if (r->metrics) {
        f = *r->metrics ? fopen(r->metrics, "w") : stdout;

        if (f == NULL) {
            return vm_replay_error("cannot write", r->metrics);
        }

        rc = vm_report_metrics(f, s, model);

        if (f != stdout) {
            rc = fclose(f) ? VM_ERROR : rc;
        }
    }

    fflush(stdout);

    if (rc != VM_OK || ferror(stdout)) {
        return vm_replay_error("cannot write the results", NULL);
    }

    return vm_report_summary(stderr, r->format, s);
}


static int
vm_replay_trace(vm_replay_t *r)
{
    int               rc;
    char             *text, err[256];
    size_t            len;
    vm_workload_t     w;
    vm_simulation_t   s;

    text = vm_replay_read(r->trace, &len);

    if (text == NULL) {
        return VM_ERROR;
    }

    rc = vm_workload_read(&w, r->trace, text, err, sizeof(err));

    if (rc != VM_OK) {
        vm_replay_error(err, NULL);
        vm_workload_free(&w);
        return rc;
    }

    memset(&s, 0, sizeof(s));
    s.conf = r->conf;
    s.workload = &w;
    s.progress = isatty(STDERR_FILENO);

    if (r->perfetto) {
        s.perfetto = fopen(r->perfetto, "w");

        if (s.perfetto == NULL) {
            vm_workload_free(&w);
            return vm_replay_error("cannot write", r->perfetto);
        }
    }

    rc = vm_simulate(&s, err, sizeof(err));

    if (s.perfetto && fclose(s.perfetto)) {
        snprintf(err, sizeof(err), " cannot write %s", r->perfetto);
        rc = VM_ERROR;
    }

    if (rc != VM_OK) {
        fprintf(stderr, "vllm-mock-replay: %s:%s\n", r->trace, err);

    } else {
        rc = vm_replay_results(r, &s);
    }

    if (rc == VM_OK && s.unfinished) {
        fprintf(stderr, "vllm-mock-replay: %u requests can never run: they "
                "wait at the head for more blocks than there are\n",
                s.unfinished);
        rc = VM_ERROR;
    }

    free(s.engine);
    vm_workload_free(&w);

    return rc;
}


int
main(int argc, char **argv)
{
    int           i, rc;
    vm_replay_t  *r;

    r = calloc(1, sizeof(vm_replay_t));

    if (r == NULL) {
        return 1;
    }

    vm_engine_defaults(&r->conf);
    rc = VM_OK;

    for (i = 1; i < argc && rc == VM_OK; i++) {

        if (strncmp(argv[i], "--", 2) == 0) {
            rc = vm_replay_option(r, argc, argv, &i);

        } else if (r->trace) {
            rc = vm_replay_error("one trace is expected, here is another:",
                                 argv[i]);

        } else {
            r->trace = argv[i];
        }
    }

    if (rc == VM_OK && r->trace == NULL && r->scenario == NULL) {
        rc = vm_replay_error("a trace is missing (see --help)", NULL);
    }

    if (rc == VM_OK && r->scenario) {
        rc = vm_replay_scenario(r);

    } else if (rc == VM_OK) {

        if (r->device) {
            rc = vm_replay_device(r);

        } else if (r->latency) {
            rc = vm_replay_latency(r);

        } else if (r->profile) {
            rc = vm_replay_profile(r);

        } else {
            rc = vm_replay_error("--device NAME, --profile FILE or --latency "
                                 "MODEL is missing", NULL);
        }

        if (rc == VM_OK) {
            rc = vm_replay_check(&r->conf);
        }

        if (rc == VM_OK) {
            rc = vm_replay_trace(r);
        }
    }

    free(r);

    return rc == VM_OK ? 0 : 1;
}
