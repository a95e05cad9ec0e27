// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors
//
// What libseccomp compiles is a list of rules, each with its comparisons: 570 instructions for filter A. Every start of
// a sandbox pays for their translation into machine code. Here the program is read as a function of the words that it
// looks at (architecture, number, halves of arguments) and written down again as a search among the ranges of each word
// in which the answer is the same: neighbours with one answer are one range, and what is the same twice stands once.

#include "filter-shrink.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 4096, MOST_RANGES = 2048, MOST_FACTS = 24, FAR = 250 };

static const uint32_t ALL = UINT32_MAX;

/// A word of struct seccomp_data by its offset, and the bits of it that are compared.
struct word {
    uint32_t offset;
    uint32_t mask;
};

/// What is known of a word: between two numbers, both included.
struct fact {
    struct word word;
    uint32_t low;
    uint32_t high;
};

struct facts {
    struct fact known[MOST_FACTS];
    size_t count;
};

/// Either an answer (`ranges` 0) or a search: from `starts[i]` on it is `children[i]`.
struct node {
    uint32_t answer;
    struct word word;
    size_t ranges;
    uint32_t *starts;
    size_t *children;
    /// Where it is in the program, counted from its end; -1 = not yet.
    long label;
};

struct shrinker {
    const struct sock_filter *from;
    size_t count;
    struct node nodes[MOST_NODES];
    size_t node_count;
    /// The program, the last instruction first.
    struct sock_filter reversed[BPF_MAXINSNS];
    size_t length;
    int failure;
};

/// One instruction that decides, brought into one form: whether the word lies between `low` and `high`.
struct test {
    struct word word;
    uint32_t low;
    uint32_t high;
    size_t inside;
    size_t outside;
};

static struct test read_test(struct shrinker *all, size_t at, struct word word) {
    const struct sock_filter *code = &all->from[at];
    struct test test = {word, code->k, ALL, at + 1 + code->jt, at + 1 + code->jf};
    switch (BPF_OP(code->code)) {
    case BPF_JEQ: test.high = code->k; break;
    case BPF_JGE: break;
    case BPF_JGT:
        if (code->k == ALL) test = (struct test){word, 0, ALL, at + 1 + code->jf, at + 1 + code->jf};
        else test.low = code->k + 1;
        break;
    case BPF_JSET:
        // Some of the bits are set: the word of those bits is not 0.
        test.word.mask &= code->k;
        test.low = 1;
        break;
    default: all->failure = -ENOTSUP;
    }
    return test;
}

/// Goes on to the next instruction that decides or answers; `word` is what is loaded.
static size_t skip(struct shrinker *all, size_t at, struct word *word) {
    while (all->failure == 0) {
        const struct sock_filter *code = &all->from[at];
        if (at >= all->count) {
            all->failure = -EINVAL;
        } else if (code->code == (BPF_LD | BPF_W | BPF_ABS)) {
            *word = (struct word){code->k, ALL};
            at += 1;
        } else if (code->code == (BPF_ALU | BPF_AND | BPF_K)) {
            word->mask &= code->k;
            at += 1;
        } else if (code->code == (BPF_JMP | BPF_JA)) {
            at += 1 + code->k;
        } else if (code->code == (BPF_RET | BPF_K) || (BPF_CLASS(code->code) == BPF_JMP && BPF_SRC(code->code) == BPF_K)) {
            return at;
        } else {
            all->failure = -ENOTSUP;
        }
    }
    return at;
}

/// Whether the facts decide the test: 1 = inside, 0 = outside, -1 = they do not.
static int decide(const struct facts *facts, const struct test *test) {
    uint32_t low = 0;
    uint32_t high = test->word.mask;
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->known[i];
        if (fact->word.offset != test->word.offset) continue;
        if (fact->word.mask == test->word.mask) {
            low = fact->low;
            high = fact->high;
        } else if (fact->low == fact->high && (test->word.mask & ~fact->word.mask) == 0) {
            low = high = fact->low & test->word.mask;
        }
    }
    if (low >= test->low && high <= test->high) return 1;
    return high < test->low || low > test->high ? 0 : -1;
}

static int compare(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/// Where the answers to tests of `word` may change, in what can be reached from `at`. Returns their number; sorted, each once.
static size_t find_starts(struct shrinker *all, size_t at, struct word loaded, struct word word, uint32_t *starts) {
    static unsigned char seen[BPF_MAXINSNS + 256];
    static struct { size_t at; struct word loaded; } queue[2 * BPF_MAXINSNS];
    size_t found = 0;
    size_t waiting = 0;
    memset(seen, 0, sizeof seen);
    starts[found++] = 0;
    queue[waiting].at = at;
    queue[waiting++].loaded = loaded;
    while (waiting > 0 && all->failure == 0) {
        struct word here = queue[--waiting].loaded;
        size_t next = skip(all, queue[waiting].at, &here);
        // libseccomp loads a word before it compares it, so that one visit is enough but at the first.
        if (all->failure != 0 || BPF_CLASS(all->from[next].code) == BPF_RET || seen[next]) continue;
        seen[next] = 1;
        struct test test = read_test(all, next, here);
        if (test.word.offset == word.offset && test.word.mask == word.mask && found + 2 < MOST_RANGES) {
            if (test.low <= word.mask) starts[found++] = test.low;
            if (test.high < word.mask) starts[found++] = test.high + 1;
        }
        queue[waiting].at = test.inside;
        queue[waiting++].loaded = here;
        queue[waiting].at = test.outside;
        queue[waiting++].loaded = here;
    }
    if (found + 2 >= MOST_RANGES) all->failure = -ENOSPC;
    qsort(starts, found, sizeof *starts, compare);
    size_t kept = 1;
    for (size_t i = 1; i < found; i++) {
        if (starts[i] != starts[kept - 1]) starts[kept++] = starts[i];
    }
    return kept;
}

/// The number of the node like `wanted`, which is added where there is none yet.
static size_t intern(struct shrinker *all, const struct node *wanted) {
    size_t bytes = wanted->ranges * sizeof *wanted->starts;
    for (size_t i = 0; i < all->node_count; i++) {
        const struct node *node = &all->nodes[i];
        if (node->ranges != wanted->ranges || node->answer != wanted->answer) continue;
        if (node->word.offset != wanted->word.offset || node->word.mask != wanted->word.mask) continue;
        if (wanted->ranges == 0) return i;
        if (memcmp(node->starts, wanted->starts, bytes) != 0) continue;
        if (memcmp(node->children, wanted->children, wanted->ranges * sizeof *wanted->children) == 0) return i;
    }
    if (all->node_count == MOST_NODES) {
        all->failure = -ENOSPC;
        return 0;
    }
    struct node *made = &all->nodes[all->node_count];
    *made = *wanted;
    made->label = -1;
    if (wanted->ranges > 0) {
        made->starts = malloc(bytes);
        made->children = malloc(wanted->ranges * sizeof *made->children);
        if (made->starts == NULL || made->children == NULL) {
            all->failure = -ENOMEM;
            return 0;
        }
        memcpy(made->starts, wanted->starts, bytes);
        memcpy(made->children, wanted->children, wanted->ranges * sizeof *made->children);
    }
    return all->node_count++;
}

static size_t build(struct shrinker *all, size_t at, struct word loaded, const struct facts *facts);

/// A search among the ranges of the word that the facts say too little of.
static size_t split(struct shrinker *all, size_t at, struct word loaded, struct word word, const struct facts *facts) {
    uint32_t starts[MOST_RANGES];
    size_t children[MOST_RANGES];
    size_t found = find_starts(all, at, loaded, word, starts);
    size_t kept = 0;
    if (facts->count == MOST_FACTS) all->failure = -ENOSPC;
    for (size_t i = 0; i < found && all->failure == 0; i++) {
        struct facts more = *facts;
        more.known[more.count++] = (struct fact){word, starts[i], i + 1 < found ? starts[i + 1] - 1 : word.mask};
        size_t child = build(all, at, loaded, &more);
        if (kept > 0 && children[kept - 1] == child) continue;
        starts[kept] = starts[i];
        children[kept++] = child;
    }
    if (kept <= 1) return kept == 0 ? 0 : children[0];
    const struct node node = {.word = word, .ranges = kept, .starts = starts, .children = children};
    return intern(all, &node);
}

/// What the program answers from `at` on, where the facts hold.
static size_t build(struct shrinker *all, size_t at, struct word loaded, const struct facts *facts) {
    while (all->failure == 0) {
        at = skip(all, at, &loaded);
        if (all->failure != 0) break;
        if (BPF_CLASS(all->from[at].code) == BPF_RET) return intern(all, &(struct node){.answer = all->from[at].k});
        struct test test = read_test(all, at, loaded);
        int known = decide(facts, &test);
        if (known < 0) return split(all, at, loaded, test.word, facts);
        at = known ? test.inside : test.outside;
    }
    return 0;
}

static long add(struct shrinker *all, struct sock_filter code) {
    if (all->length == BPF_MAXINSNS) {
        all->failure = -ENOSPC;
        return 0;
    }
    all->reversed[all->length] = code;
    return (long)all->length++;
}

/// A place from which the next two instructions can be reached by a jump, that leads to `label`.
static long bring_near(struct shrinker *all, long label) {
    if ((long)all->length - label < FAR || all->failure != 0) return label;
    struct sock_filter there = all->reversed[label];
    if (BPF_CLASS(there.code) == BPF_RET) return add(all, there);
    return add(all, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)((long)all->length - label - 1)));
}

static long jump(struct shrinker *all, uint16_t operation, uint32_t number, long yes, long no) {
    yes = bring_near(all, yes);
    no = bring_near(all, no);
    if (all->failure != 0) return 0;
    long at = (long)all->length;
    struct sock_filter code = {(uint16_t)(BPF_JMP | operation | BPF_K), (uint8_t)(at - yes - 1), (uint8_t)(at - no - 1), number};
    return add(all, code);
}

/// Writes the search among the ranges `first` to `last` of a node.
static long write_search(struct shrinker *all, const struct node *node, size_t first, size_t last) {
    if (first == last) return all->nodes[node->children[first]].label;
    int one = last == first + 2 && node->children[first] == node->children[last];
    if (one && node->starts[last] == node->starts[first + 1] + 1) {
        const struct node *inside = &all->nodes[node->children[first + 1]];
        return jump(all, BPF_JEQ, node->starts[first + 1], inside->label, all->nodes[node->children[first]].label);
    }
    size_t middle = first + (last - first + 1) / 2;
    long below = write_search(all, node, first, middle - 1);
    long above = write_search(all, node, middle, last);
    return jump(all, BPF_JGE, node->starts[middle], above, below);
}

/// Writes a node and all below it, from the end of the program towards its begin: jumps only lead forward.
static void write_node(struct shrinker *all, size_t number) {
    struct node *node = &all->nodes[number];
    if (node->label >= 0 || all->failure != 0) return;
    if (node->ranges == 0) {
        node->label = add(all, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, node->answer));
        return;
    }
    for (size_t i = 0; i < node->ranges; i++) write_node(all, node->children[i]);
    if (all->failure != 0) return;
    long at = write_search(all, node, 0, node->ranges - 1);
    // What is loaded goes on to the first comparison, which was written last.
    uint32_t distance = (uint32_t)((long)all->length - 1 - at);
    if (distance != 0) add(all, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, distance));
    if (node->word.mask != ALL) add(all, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, node->word.mask));
    node->label = add(all, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, node->word.offset));
}

static uint32_t answer(const struct sock_filter *program, const struct seccomp_data *data) {
    uint32_t value = 0;
    for (const struct sock_filter *code = program;; code++) {
        int yes = 0;
        switch (code->code) {
        case BPF_LD | BPF_W | BPF_ABS: memcpy(&value, (const char *)data + code->k, sizeof value); continue;
        case BPF_ALU | BPF_AND | BPF_K: value &= code->k; continue;
        case BPF_JMP | BPF_JA: code += code->k; continue;
        case BPF_RET | BPF_K: return code->k;
        case BPF_JMP | BPF_JEQ | BPF_K: yes = value == code->k; break;
        case BPF_JMP | BPF_JGT | BPF_K: yes = value > code->k; break;
        case BPF_JMP | BPF_JGE | BPF_K: yes = value >= code->k; break;
        case BPF_JMP | BPF_JSET | BPF_K: yes = (value & code->k) != 0; break;
        default: return SECCOMP_RET_KILL_PROCESS;
        }
        code += yes ? code->jt : code->jf;
    }
}

/// For each word of struct seccomp_data, the numbers that the program compares it with.
struct pools {
    uint32_t numbers[sizeof(struct seccomp_data) / 4][BPF_MAXINSNS];
    size_t counts[sizeof(struct seccomp_data) / 4];
};

static void fill(struct pools *pools, const struct sock_filter *from, size_t count) {
    size_t word = 0;
    for (size_t i = 0; i < count; i++) {
        if (from[i].code == (BPF_LD | BPF_W | BPF_ABS)) word = from[i].k / 4;
        if (BPF_CLASS(from[i].code) != BPF_JMP || from[i].code == (BPF_JMP | BPF_JA)) continue;
        pools->numbers[word][pools->counts[word]++] = from[i].k;
    }
}

/// A number that a word is compared with, or one beside it; now and then any other, or with bits that are not looked at.
static uint32_t pick(const struct pools *pools, size_t word, uint64_t *seed) {
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    uint32_t chance = (uint32_t)(*seed >> 33);
    uint32_t number = pools->counts[word] > 0 ? pools->numbers[word][(chance >> 8) % pools->counts[word]] : 0;
    switch (chance & 15) {
    case 0: return chance * 2654435761U;
    case 1: return number + 1;
    case 2: return number - 1;
    case 3: return number | 1U << (chance >> 4 & 31);
    case 4: return 0;
    default: return number;
    }
}

/// The new program against the old one: every number, with arguments about those that they are compared with, so often that
/// two which must meet do.
static int check(const struct sock_filter *from, size_t count, const struct sock_filter *made) {
    enum { NUMBERS = 1024, TRIES = 4000, ARGUMENTS = offsetof(struct seccomp_data, args) / 4 };
    static struct pools pools;
    uint64_t seed = 1;
    memset(&pools, 0, sizeof pools);
    fill(&pools, from, count);
    for (uint32_t i = 0; i < NUMBERS * TRIES; i++) {
        struct seccomp_data data = {.nr = (int)(i % NUMBERS), .arch = from[1].k};
        if (i % 64 == 63) data.nr = (int)pick(&pools, offsetof(struct seccomp_data, nr) / 4, &seed);
        if (i % 128 == 127) data.arch = pick(&pools, offsetof(struct seccomp_data, arch) / 4, &seed);
        for (size_t j = 0; j < 6; j++) {
            uint64_t upper = i / NUMBERS % 4 == 0 ? pick(&pools, ARGUMENTS + 2 * j + 1, &seed) : 0;
            data.args[j] = upper << 32 | pick(&pools, ARGUMENTS + 2 * j, &seed);
        }
        if (answer(from, &data) != answer(made, &data)) return -ENOTRECOVERABLE;
    }
    return 0;
}

int sbx_filter_shrink(const struct sock_filter *from, size_t count, struct sock_filter *made, size_t room) {
    static struct shrinker all;
    all = (struct shrinker){.from = from, .count = count};
    size_t top = build(&all, 0, (struct word){0, ALL}, &(struct facts){.count = 0});
    if (all.failure == 0) write_node(&all, top);
    for (size_t i = 0; i < all.node_count; i++) {
        free(all.nodes[i].starts);
        free(all.nodes[i].children);
    }
    if (all.failure != 0) return all.failure;
    if (all.length > room) return -ENOSPC;
    for (size_t i = 0; i < all.length; i++) made[i] = all.reversed[all.length - 1 - i];
    int result = check(from, count, made);
    return result != 0 ? result : (int)all.length;
}
