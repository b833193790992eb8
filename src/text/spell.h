/*
 * How vocabularies spell what is no plain text: each byte as a character, or
 * U+2581 for a space and <0x0A> for a byte.
 */

#ifndef VM_SPELL_H
#define VM_SPELL_H


#include "../base/buf.h"


#define VM_SPACE_MARK  "\xe2\x96\x81"         /* U+2581 */


/*
 * Byte-level spelling: each byte is a printable character, U+0120 a space.
 * vm_byte_spell() appends it; vm_byte_read() appends the bytes of a spelling,
 * or the text itself if it has another character (VM_DECLINED).
 */
void vm_byte_spell(vm_str_t bytes, vm_buf_t *out);
int vm_byte_read(vm_str_t piece, vm_buf_t *out);

/* Appends what a spelling with U+2581 stands for, <0x0A> if `bytes`. */
void vm_mark_read(vm_str_t piece, int bytes, vm_buf_t *out);


#endif /* VM_SPELL_H */
