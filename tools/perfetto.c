/*
 * Trace events: process 1 has a track a request, process 0 the engine's.
 */

#include "perfetto.h"


#define vm_us(t)  (long long) ((t) / 1000), (int) ((t) % 1000)


static void
vm_perfetto_span(FILE *f, const char *name, uint32_t request, vm_time_t from,
    vm_time_t to)
{
    fprintf(f, ",\n{\"ph\":\"X\",\"cat\":\"request\",\"name\":\"%s\",\"pid\":1,"
            "\"tid\":%u,"
            "\"ts\":%lld.%03d,\"dur\":%lld.%03d}", name, request + 1,
            vm_us(from), vm_us(to - from));
}


void
vm_perfetto_begin(FILE *f, const vm_workload_t *w)
{
    uint32_t  i;

    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
          "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":0,"
          "\"args\":{\"name\":\"engine\"}},\n"
          "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":0,\"tid\":0,"
          "\"args\":{\"name\":\"steps\"}},\n"
          "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":1,"
          "\"args\":{\"name\":\"requests\"}}", f);

    for (i = 0; i < w->n; i++) {
        fprintf(f, ",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":1,"
                "\"tid\":%u,\"args\":{\"name\":\"request %u: %u + %u\"}}",
                i + 1, i, w->requests[i].prompt, w->requests[i].output);
    }
}


void
vm_perfetto_step(FILE *f, uint64_t number, vm_time_t begin, vm_time_t end,
    uint32_t prefills, uint32_t decodes, uint32_t tokens)
{
    /* one name, by which the viewer groups and sums them up */

    fprintf(f, ",\n{\"ph\":\"X\",\"cat\":\"engine\",\"name\":\"step\","
            "\"pid\":0,\"tid\":0,\"ts\":%lld.%03d,\"dur\":%lld.%03d,\"args\":{"
            "\"number\":%llu,\"prefills\":%u,\"decodes\":%u,\"tokens\":%u}}",
            vm_us(begin), vm_us(end - begin), (unsigned long long) number,
            prefills, decodes, tokens);
}


void
vm_perfetto_gauges(FILE *f, vm_time_t now, uint32_t running, uint32_t waiting,
    double usage)
{
    fprintf(f, ",\n{\"ph\":\"C\",\"name\":\"requests\",\"pid\":0,"
            "\"ts\":%lld.%03d,\"args\":{\"running\":%u,\"waiting\":%u}}"
            ",\n{\"ph\":\"C\",\"name\":\"KV cache usage\",\"pid\":0,"
            "\"ts\":%lld.%03d,\"args\":{\"usage\":%.6f}}", vm_us(now), running,
            waiting, vm_us(now), usage);
}


void
vm_perfetto_preempted(FILE *f, uint32_t request, vm_time_t from, vm_time_t to)
{
    vm_perfetto_span(f, "preempted", request, from, to);
}


void
vm_perfetto_requests(FILE *f, const vm_workload_t *w)
{
    uint32_t          i;
    const vm_wreq_t  *q;

    for (i = 0; i < w->n; i++) {
        q = &w->requests[i];

        if (q->scheduled == VM_TIME_NONE) {
            continue;
        }

        vm_perfetto_span(f, "queued", i, q->arrival, q->scheduled);

        if (q->first_token == VM_TIME_NONE) {
            continue;
        }

        vm_perfetto_span(f, "prefill", i, q->scheduled, q->first_token);

        if (q->last_token != VM_TIME_NONE && q->made > 1) {
            vm_perfetto_span(f, "decode", i, q->first_token, q->last_token);
        }
    }
}


void
vm_perfetto_end(FILE *f)
{
    fputs("\n]}\n", f);
}
