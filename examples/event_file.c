/* Reads an obsorb event file: checks every record, prints header, events and trailer.
 *
 *     cc -std=c99 -O2 -o event_file examples/event_file.c
 *     ./event_file all_000000007_000.raw
 *
 * Exit code 0: all records are whole; 1: one is not, or the file ends within it; 2: usage.
 * The layout is described in docs/reference/event-files.md. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_HEAD = 56, DOCUMENT_HEAD = 12, CHECK = 4, LARGEST = EVENT_HEAD + 2 * 1024 + 3 * 1024 * 1024 + CHECK };

static uint32_t table[256];

static void make_table(void) /* CRC-32C: the polynomial 0x1EDC6F41, bits mirrored */
{
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t value = n;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0x82F63B78u : value >> 1;
        table[n] = value;
    }
}

static uint32_t crc32c(const unsigned char *bytes, size_t count)
{
    uint32_t crc = 0xFFFFFFFFu;
    while (count--)
        crc = table[(crc ^ *bytes++) & 0xFF] ^ crc >> 8;
    return ~crc;
}

/* A little-endian number of 2, 4 or 8 bytes, whatever this processor likes. */
static uint64_t number(const unsigned char *bytes, int size)
{
    uint64_t value = 0;
    while (size--)
        value = value << 8 | bytes[size];
    return value;
}

/* The length before and behind a message is big-endian. Returns 0 at the end of the file. */
static int length(FILE *file, uint32_t *value)
{
    unsigned char b[4];
    if (fread(b, 1, 4, file) != 4)
        return 0;
    *value = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return 1;
}

static int fail(const char *what, long place)
{
    fprintf(stderr, "the record at byte %ld: %s\n", place, what);
    return 1;
}

static int show(const unsigned char *m, uint32_t size, long place)
{
    if (size < DOCUMENT_HEAD + CHECK || number(m + 4, 2) != 1)
        return fail("too short, or of an unknown version", place);
    if (number(m + size - CHECK, 4) != crc32c(m, size - CHECK))
        return fail("its check is wrong", place);
    if (memcmp(m, "D0EV", 4) == 0) {
        unsigned streams = size < EVENT_HEAD + CHECK ? 0 : (unsigned)number(m + 22, 2);
        if (size < EVENT_HEAD + CHECK || EVENT_HEAD + 2 * streams + number(m + 32, 4) + CHECK != size)
            return fail("its lengths contradict each other", place);
        printf("event %" PRIu64 " run %" PRIu64 " lbn %" PRIu64 " node %" PRIu64 " time %" PRIu64, number(m + 12, 4),
               number(m + 8, 4), number(m + 16, 4), number(m + 20, 2), number(m + 24, 8));
        printf(" sender %016" PRIx64 " sequence %" PRIu64 " streams", number(m + 40, 8), number(m + 48, 8));
        for (unsigned n = 0; n < streams; n++)
            printf(" %" PRIu64, number(m + EVENT_HEAD + 2 * n, 2));
        printf(" payload %" PRIu64 " crc %08" PRIx32 "\n", number(m + 32, 4),
               crc32c(m + EVENT_HEAD + 2 * streams, (size_t)number(m + 32, 4)));
    } else if (memcmp(m, "D0FH", 4) == 0 || memcmp(m, "D0FT", 4) == 0)
        printf("%.4s %.*s\n", (const char *)m, (int)(size - DOCUMENT_HEAD - CHECK), (const char *)m + DOCUMENT_HEAD);
    return 0; /* any other type, e.g. D0XX: skipped */
}

int main(int count, char **arguments)
{
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    unsigned char *message = malloc(LARGEST);
    uint32_t before, behind;
    long place = 0;
    int bad = 0;
    if (file == NULL || message == NULL)
        return fputs("usage: event_file FILE\n", stderr), 2;
    make_table();
    for (; !bad && length(file, &before); place = ftell(file)) {
        if (before > LARGEST || fread(message, 1, before, file) != before)
            bad = fail("the file ends within it", place);
        else if (!length(file, &behind) || behind != before)
            bad = fail("its two lengths differ", place);
        else
            bad = show(message, before, place);
    }
    free(message);
    fclose(file);
    return bad;
}
