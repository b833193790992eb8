/*
 * A share as configurations write it: in percent, as a ratio.
 */

#ifndef VM_PERCENT_H
#define VM_PERCENT_H


#include "types.h"


#define VM_PERCENT_RULE  "0% to 100%, with the sign below 1% and at 1 (0.3 " \
                         "could be 0.3% or 30%)"

/*
 * "30%", "0.3%", "30".  VM_ERROR for what is none, and for what may be meant
 * either way: a number above 0, up to 1, without the sign.
 */
int vm_percent(const char *text, double *ratio);


#endif /* VM_PERCENT_H */
