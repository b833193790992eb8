/*
 * Splitters.  Most expressions are one family: an English contraction, a word
 * with a character before it, a number, signs with the line ends behind them,
 * white space; what differs is in a table.
 */

#include "split.h"
#include "unicode.h"


typedef size_t (*vm_split_match_pt)(const vm_split_t *r, const char *s,
    size_t len, size_t i);

/* flags */
#define VM_SPLIT_SPACED    0x01     /* only a space goes before a word, also
                                       before a number */
#define VM_SPLIT_APART     0x02     /* contractions are pieces of their own */
#define VM_SPLIT_ANYCASE   0x04     /* 'S is one as well */
#define VM_SPLIT_CASED     0x08     /* words end before a capital, and have
                                       their contraction with them */
#define VM_SPLIT_SLASH     0x10     /* slashes go with line ends */
#define VM_SPLIT_LINES     0x20     /* white space is cut behind line ends */
#define VM_SPLIT_LAST      0x40     /* but not at the end of the text */
#define VM_SPLIT_GAPS      0x80     /* what does not match is a piece, too */

struct vm_split_s {
    const char         *name;       /* or the pattern */
    vm_split_match_pt   match;      /* the end, `i` if it does not match */
    unsigned            flags;
    unsigned            word;       /* classes of a word's characters */
    unsigned            digits;     /* the most of a number, 0: any */
};


static int vm_split_same(const char *known, const char *pattern);
static size_t vm_split_text(const vm_split_t *r, const char *s, size_t len,
    size_t i);
static size_t vm_split_run(const char *s, size_t len, size_t i, unsigned in);
static size_t vm_split_contraction(const vm_split_t *r, const char *s,
    size_t len, size_t i);
static size_t vm_split_word(const vm_split_t *r, const char *s, size_t len,
    size_t i);
static size_t vm_split_cased(const char *s, size_t len, size_t i);
static size_t vm_split_number(const vm_split_t *r, const char *s, size_t len,
    size_t i);
static size_t vm_split_signs(const vm_split_t *r, const char *s, size_t len,
    size_t i);
static size_t vm_split_space(const vm_split_t *r, const char *s, size_t len,
    size_t i);
static size_t vm_split_spaces(const vm_split_t *r, const char *s, size_t len,
    size_t i);
static size_t vm_split_cjk(const vm_split_t *r, const char *s, size_t len,
    size_t i);
static size_t vm_split_deepseek(const vm_split_t *r, const char *s,
    size_t len, size_t i);


#define VM_SPLIT_WORDS     "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define VM_SPLIT_SIGNS     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define VM_SPLIT_BLANKS    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define VM_SPLIT_ENGLISH   "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define VM_SPLIT_UPPER     "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define VM_SPLIT_LOWER     "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"

#define VM_SPLIT_FAMILY    VM_SPLIT_APART|VM_SPLIT_ANYCASE|VM_SPLIT_LINES
#define VM_SPLIT_O200K     VM_SPLIT_CASED|VM_SPLIT_ANYCASE|VM_SPLIT_SLASH     \
                           |VM_SPLIT_LINES


static const vm_split_t  vm_splits[] = {

    { "gpt2", vm_split_text, VM_SPLIT_SPACED|VM_SPLIT_APART,
      VM_CHAR_LETTER, 0 },

    { "cl100k", vm_split_text, VM_SPLIT_FAMILY|VM_SPLIT_LAST,
      VM_CHAR_LETTER, 3 },

    { "o200k", vm_split_text, VM_SPLIT_O200K, VM_CHAR_LETTER, 3 },

    { "spaces", vm_split_spaces, 0, 0, 0 },

    { "digits", vm_split_number, VM_SPLIT_GAPS, 0, 0 },

    { "digit", vm_split_number, VM_SPLIT_GAPS, 0, 1 },

    /* GPT-2 */

    { "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
      "|\\s+(?!\\S)|\\s+",
      vm_split_text, VM_SPLIT_SPACED|VM_SPLIT_APART, VM_CHAR_LETTER, 0 },

    /* Llama 3 */

    { VM_SPLIT_ENGLISH "|" VM_SPLIT_WORDS "|\\p{N}{1,3}|" VM_SPLIT_SIGNS "|"
      VM_SPLIT_BLANKS,
      vm_split_text, VM_SPLIT_FAMILY, VM_CHAR_LETTER, 3 },

    /* Qwen 2, 2.5 and 3 */

    { VM_SPLIT_ENGLISH "|" VM_SPLIT_WORDS "|\\p{N}|" VM_SPLIT_SIGNS "|"
      VM_SPLIT_BLANKS,
      vm_split_text, VM_SPLIT_FAMILY, VM_CHAR_LETTER, 1 },

    /* marks are parts of words */

    { VM_SPLIT_ENGLISH "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}|"
      " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" VM_SPLIT_BLANKS,
      vm_split_text, VM_SPLIT_FAMILY, VM_CHAR_LETTER|VM_CHAR_MARK, 1 },

    /* GPT-4 converted, contractions written out */

    { "('s|'S|'t|'T|'re|'rE|'Re|'RE|'ve|'vE|'Ve|'VE|'m|'M|'ll|'lL|'Ll|'LL"
      "|'d|'D)|" VM_SPLIT_WORDS "|\\p{N}{1,3}|" VM_SPLIT_SIGNS "|"
      VM_SPLIT_BLANKS,
      vm_split_text, VM_SPLIT_FAMILY, VM_CHAR_LETTER, 3 },

    /* gpt-oss, GPT-4o */

    { "[^\\r\\n\\p{L}\\p{N}]?" VM_SPLIT_UPPER "*" VM_SPLIT_LOWER "+"
      VM_SPLIT_ENGLISH "?|[^\\r\\n\\p{L}\\p{N}]?" VM_SPLIT_UPPER "+"
      VM_SPLIT_LOWER "*" VM_SPLIT_ENGLISH "?|\\p{N}{1,3}|"
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" VM_SPLIT_BLANKS,
      vm_split_text, VM_SPLIT_O200K, VM_CHAR_LETTER, 3 },

    /* DeepSeek V3 has three, one after the other */

    { "\\p{N}{1,3}", vm_split_number, VM_SPLIT_GAPS, 0, 3 },

    { "[\xe4\xb8\x80-\xe9\xbe\xa5\xe3\x81\x80-\xe3\x82\x9f"
      "\xe3\x82\xa0-\xe3\x83\xbf]+",
      vm_split_cjk, VM_SPLIT_GAPS, 0, 0 },

    { "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
      "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
      "| ?[\\p{P}\\p{S}]+[\\r\\n]*|" VM_SPLIT_BLANKS,
      vm_split_deepseek, VM_SPLIT_GAPS|VM_SPLIT_LINES,
      VM_CHAR_LETTER|VM_CHAR_MARK, 0 }
};

#define VM_SPLIT_NAMES  6           /* the first ones have names */


const vm_split_t *
vm_split_pattern(const char *pattern)
{
    size_t  i;

    for (i = VM_SPLIT_NAMES; i < vm_nelts(vm_splits); i++) {
        if (vm_split_same(vm_splits[i].name, pattern)) {
            return &vm_splits[i];
        }
    }

    return NULL;
}


/* Line ends may stand in an expression themselves, or as \\r and \\n. */

static int
vm_split_same(const char *known, const char *pattern)
{
    while (*known) {

        if (*known == '\\' && (*pattern == '\r' || *pattern == '\n')) {
            known++;

            if (*known != (*pattern == '\r' ? 'r' : 'n')) {
                return 0;
            }

        } else if (*known != *pattern) {
            return 0;
        }

        known++;
        pattern++;
    }

    return *pattern == '\0';
}


const vm_split_t *
vm_split_named(const char *name)
{
    size_t  i;

    for (i = 0; i < VM_SPLIT_NAMES; i++) {
        if (strcmp(vm_splits[i].name, name) == 0) {
            return &vm_splits[i];
        }
    }

    return NULL;
}


size_t
vm_split_next(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    size_t  end;

    end = r->match(r, s, len, i);

    if (end > i || !(r->flags & VM_SPLIT_GAPS)) {
        return end > i ? end : len;
    }

    do {
        i += (size_t) vm_char_len(s[i]);
    } while (i < len && r->match(r, s, len, i) == i);

    return i;
}


static size_t
vm_split_text(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    size_t  end;

    if (s[i] == '\'' && r->flags & VM_SPLIT_APART) {
        end = vm_split_contraction(r, s, len, i);

        if (end > i) {
            return end;
        }
    }

    end = vm_split_word(r, s, len, i);

    if (end == i) {
        end = vm_split_number(r, s, len, i);
    }

    if (end == i) {
        end = vm_split_signs(r, s, len, i);
    }

    return end > i ? end : vm_split_space(r, s, len, i);
}


/* The end of a run of these classes. */

static size_t
vm_split_run(const char *s, size_t len, size_t i, unsigned in)
{
    size_t  n;

    while (vm_char_at(s, len, i, &n) & in) {
        i += n;
    }

    return i;
}


static size_t
vm_split_contraction(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    char  a, b, fold;

    if (i + 1 >= len || s[i] != '\'') {
        return i;
    }

    fold = r->flags & VM_SPLIT_ANYCASE ? 0x20 : 0;

    a = s[i + 1] | fold;
    b = i + 2 < len ? s[i + 2] | fold : '\0';

    if (a == 's' || a == 't' || a == 'm' || a == 'd') {
        return i + 2;
    }

    if ((a == 'l' && b == 'l') || ((a == 'v' || a == 'r') && b == 'e')) {
        return i + 3;
    }

    /* U+017F is another small s */

    if (fold && i + 2 < len && memcmp(s + i + 1, "\xc5\xbf", 2) == 0) {
        return i + 3;
    }

    return i;
}


static size_t
vm_split_word(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    int       before;
    size_t    end, n;
    unsigned  c;

    c = vm_char_at(s, len, i, &n);

    before = r->flags & VM_SPLIT_SPACED
             ? s[i] == ' '
             : !(c & (VM_CHAR_BREAK|VM_CHAR_LETTER|VM_CHAR_NUMBER));

    if (r->flags & VM_SPLIT_CASED) {
        end = before ? vm_split_cased(s, len, i + n) : i + n;

        if (end == i + n) {
            end = vm_split_cased(s, len, i);
        }

        if (end > i) {
            end = vm_split_contraction(r, s, len, end);
        }

        return end;
    }

    if (c & r->word) {
        return vm_split_run(s, len, i, r->word);
    }

    end = before ? vm_split_run(s, len, i + n, r->word) : i + n;

    return end > i + n ? end : i;
}


/*
 * A word of capitals and then others, or of capitals alone; letters that have
 * no case are both.  Where nothing but a capital follows the capitals they end
 * at the last one that could be another.
 */

static size_t
vm_split_cased(const char *s, size_t len, size_t i)
{
    size_t    both, end, n, start;
    unsigned  c;

    start = i;
    both = i;

    for ( ;; ) {
        c = vm_char_at(s, len, i, &n);

        if (!(c & (VM_CHAR_UPPER|VM_CHAR_CASELESS|VM_CHAR_MARK))) {
            break;
        }

        i += n;

        if (!(c & VM_CHAR_UPPER)) {
            both = i;
        }
    }

    end = vm_split_run(s, len, i,
                       VM_CHAR_LOWER|VM_CHAR_CASELESS|VM_CHAR_MARK);

    if (end > i) {
        return end;
    }

    return both > start ? both : i;
}


static size_t
vm_split_number(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    size_t    n, start;
    unsigned  k;

    start = i;

    if (r->flags & VM_SPLIT_SPACED && s[i] == ' ') {
        i++;
    }

    for (k = 0; r->digits == 0 || k < r->digits; k++) {

        if (!(vm_char_at(s, len, i, &n) & VM_CHAR_NUMBER)) {
            break;
        }

        i += n;
    }

    return k ? i : start;
}


static size_t
vm_split_signs(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    size_t    end, n;
    unsigned  in;

    in = VM_CHAR_SPACE|VM_CHAR_NUMBER|VM_CHAR_LETTER|r->word;
    end = i + (s[i] == ' ');

    if (vm_char_at(s, len, end, &n) & in || n == 0) {
        return i;
    }

    do {
        end += n;
    } while (!(vm_char_at(s, len, end, &n) & in) && n);

    if (!(r->flags & VM_SPLIT_LINES)) {
        return end;
    }

    while (end < len
           && (s[end] == '\n' || s[end] == '\r'
               || (s[end] == '/' && r->flags & VM_SPLIT_SLASH)))
    {
        end++;
    }

    return end;
}


/* The last of several goes with the word behind them. */

static size_t
vm_split_space(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    size_t    last, line, n, start;
    unsigned  c;

    start = i;
    last = i;
    line = i;

    while ((c = vm_char_at(s, len, i, &n)) & VM_CHAR_SPACE) {
        last = i;
        i += n;

        if (c & VM_CHAR_BREAK) {
            line = i;
        }
    }

    if (i == len && r->flags & VM_SPLIT_LAST) {
        return len;
    }

    if (r->flags & VM_SPLIT_LINES && line > start) {
        return line;
    }

    return i == len || last == start ? i : last;
}


static size_t
vm_split_spaces(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    const char  *p;

    (void) r;

    i += (size_t) vm_char_len(s[i]);
    p = memmem(s + i, len - i, "\xe2\x96\x81", 3);

    return p ? (size_t) (p - s) : len;
}


static size_t
vm_split_cjk(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    uint32_t  code;

    (void) r;

    while (i < len) {
        code = vm_utf8_code(s + i);

        if (!(code >= 0x4e00 && code <= 0x9fa5)
            && !(code >= 0x3040 && code <= 0x30ff))
        {
            break;
        }

        i += (size_t) vm_char_len(s[i]);
    }

    return i;
}


static size_t
vm_split_deepseek(const vm_split_t *r, const char *s, size_t len, size_t i)
{
    size_t    end, n;
    unsigned  c;

    c = vm_char_at(s, len, i, &n);

    if (n == 1 && c & VM_CHAR_SIGN) {

        for (end = i + 1; end < len; end++) {
            if ((unsigned char) s[end] >= 0x80
                || !(vm_char_ascii[(unsigned char) s[end]] & VM_CHAR_LETTER))
            {
                break;
            }
        }

        if (end > i + 1) {
            return end;
        }
    }

    if (c & r->word) {
        return vm_split_run(s, len, i, r->word);
    }

    if (!(c & (VM_CHAR_BREAK|VM_CHAR_SIGN))) {
        end = vm_split_run(s, len, i + n, r->word);

        if (end > i + n) {
            return end;
        }
    }

    n = i + (s[i] == ' ');
    end = vm_split_run(s, len, n, VM_CHAR_SIGN);

    if (end > n) {
        while (end < len && (s[end] == '\n' || s[end] == '\r')) {
            end++;
        }

        return end;
    }

    return c & VM_CHAR_SPACE ? vm_split_space(r, s, len, i) : i;
}
