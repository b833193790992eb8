/*
 * Shares in percent.
 */

#include <stdlib.h>
#include <string.h>
#include "percent.h"


int
vm_percent(const char *text, double *ratio)
{
    char    *end;
    double   d;

    d = strtod(text, &end);

    if (end == text || !(d >= 0 && d <= 100)
        || (strcmp(end, "%") != 0 && (*end || (d > 0 && d <= 1))))
    {
        return VM_ERROR;
    }

    *ratio = d / 100;

    return VM_OK;
}
