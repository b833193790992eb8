/*
 * Random numbers as functions of a key: splitmix64, by position.
 */

#include <math.h>
#include "rand.h"


#define VM_RAND_GOLDEN  0x9e3779b97f4a7c15ULL


uint64_t
vm_rand_mix(uint64_t x)
{
    x += VM_RAND_GOLDEN;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;

    return x ^ (x >> 31);
}


uint64_t
vm_rand_at(uint64_t key, uint64_t n)
{
    return vm_rand_mix(vm_rand_mix(key) + n * VM_RAND_GOLDEN);
}


double
vm_rand_unit(uint64_t r)
{
    return (double) (r >> 11) * 0x1p-53;
}


double
vm_rand_normal(uint64_t key, uint64_t n)
{
    double  u, v;

    u = vm_rand_unit(vm_rand_at(key, 2 * n));
    v = vm_rand_unit(vm_rand_at(key, 2 * n + 1));

    return sqrt(-2.0 * log(1.0 - u)) * cos(2.0 * M_PI * v);
}


uint64_t
vm_rand_bytes(const void *data, size_t len, uint64_t seed)
{
    uint64_t              h, word;
    const unsigned char  *p;

    p = data;
    h = vm_rand_mix(seed ^ len);

    while (len >= 8) {
        memcpy(&word, p, 8);
        h = vm_rand_mix(h ^ word);
        p += 8;
        len -= 8;
    }

    if (len) {
        word = 0;
        memcpy(&word, p, len);
        h = vm_rand_mix(h ^ word);
    }

    return h;
}
