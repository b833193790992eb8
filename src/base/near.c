/*
 * "Did you mean": names that resemble one that is not known.
 */

#include <stdio.h>
#include "near.h"


#define VM_NEAR_SHOWN  3

#define vm_near_at(first, i, stride)                                          \
    (*(const char *const *) (const void *)                                    \
        ((const char *) (first) + (i) * (stride)))


unsigned
vm_near_distance(const char *a, const char *b)
{
    unsigned  diagonal, i, j, row[64], was;

    for (j = 0; j < vm_nelts(row) - 1 && b[j]; j++) {
        row[j] = j;
    }

    row[j] = j;

    for (i = 0; a[i]; i++) {
        diagonal = row[0];
        row[0] = i + 1;

        for (j = 0; j < vm_nelts(row) - 1 && b[j]; j++) {
            was = row[j + 1];
            row[j + 1] = vm_min(diagonal + (a[i] != b[j]),
                                vm_min(row[j], was) + 1);
            diagonal = was;
        }
    }

    return row[j];
}


void
vm_near_add(char *message, size_t size, const char *name,
    const char *prefix, const char *const *first, size_t n, size_t stride)
{
    size_t       at, i, shown;
    unsigned     best, d;
    const char  *other;

    best = VM_NEVER;

    for (i = 0; i < n; i++) {
        d = vm_near_distance(name, vm_near_at(first, i, stride));
        best = vm_min(best, d);
    }

    if (best > 2 + strlen(name) / 3) {
        return;
    }

    at = strlen(message);

    for (shown = 0, i = 0; i < n && shown < VM_NEAR_SHOWN; i++) {
        other = vm_near_at(first, i, stride);

        if (vm_near_distance(name, other) <= best + (best > 0) && at < size) {
            at += (size_t) snprintf(message + at, size - at, "%s%s%s",
                                    shown++ ? ", " : "; did you mean ",
                                    prefix, other);
        }
    }
}
