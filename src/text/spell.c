/*
 * Spellings of tokens.
 */

#include "spell.h"
#include "unicode.h"


static int vm_spell_hex(char c);


void
vm_byte_spell(vm_str_t bytes, vm_buf_t *out)
{
    size_t    i;
    uint32_t  code;

    for (i = 0; i < bytes.len; i++) {
        code = (unsigned char) bytes.data[i];

        if (code <= 0x20) {
            code += 0x100;

        } else if (code >= 0x7f && code <= 0xa0) {
            code += 0x121 - 0x7f;

        } else if (code == 0xad) {
            code = 0x143;
        }

        if (code < 0x80) {
            vm_buf_char(out, (char) code);

        } else {
            vm_buf_char(out, (char) (0xc0 | code >> 6));
            vm_buf_char(out, (char) (0x80 | (code & 0x3f)));
        }
    }
}


int
vm_byte_read(vm_str_t piece, vm_buf_t *out)
{
    size_t    i, start;
    uint32_t  code;

    start = out->len;

    for (i = 0; i < piece.len; i += (size_t) vm_char_len(piece.data[i])) {
        code = vm_utf8_code(piece.data + i);

        if (code >= 0x100 && code <= 0x120) {
            code -= 0x100;

        } else if (code >= 0x121 && code <= 0x142) {
            code -= 0x121 - 0x7f;

        } else if (code == 0x143) {
            code = 0xad;

        } else if (code <= 0x20 || code > 0xff || code == 0xad
                   || (code >= 0x7f && code <= 0xa0))
        {
            if (!out->failed) {
                out->len = start;
            }

            vm_buf_add(out, piece.data, piece.len);
            return VM_DECLINED;
        }

        vm_buf_char(out, (char) code);
    }

    return VM_OK;
}


void
vm_mark_read(vm_str_t piece, int bytes, vm_buf_t *out)
{
    int          high, low;
    size_t       n;
    const char  *p;

    if (bytes && piece.len == 6 && memcmp(piece.data, "<0x", 3) == 0
        && piece.data[5] == '>')
    {
        high = vm_spell_hex(piece.data[3]);
        low = vm_spell_hex(piece.data[4]);

        if (high >= 0 && low >= 0) {
            vm_buf_char(out, (char) (high * 16 + low));
            return;
        }
    }

    while ((p = memmem(piece.data, piece.len, VM_SPACE_MARK, 3))) {
        n = (size_t) (p - piece.data);
        vm_buf_add(out, piece.data, n);
        vm_buf_char(out, ' ');
        piece.data += n + 3;
        piece.len -= n + 3;
    }

    vm_buf_add(out, piece.data, piece.len);
}


static int
vm_spell_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
