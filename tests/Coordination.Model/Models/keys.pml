/*
 * What the models are made of: who contends, the record of a lock, and what a node knows of it. Whoever includes this defines NODES and
 * LOCKS, and TURNS: how many entries a node has in turn.
 */
#define CONTENDERS (NODES * LOCKS)

/* A contender is a node that wants a lock. Each of its acquisitions has an entry of its own and, unless it is shared, an owner of its
   own. A node uses an entry again only when nothing anywhere mentions it any more. */
#define IDS (TURNS * NODES)
#define NOBODY 15
#define bit_of(id) (1 << (id))
#ifdef SHARED_OWNER
/* The first two contenders are two tasks that wait as one owner. */
#define owner_of(id) ((id) < 2 * TURNS -> 0 : (id))
#define is_owned_by(l, id) false
#else
#define owner_of(id) (id)
#define is_owned_by(l, id) (lock[l].owner == (id))
#endif
#define lock_of(c) ((c) / NODES)
#define contender_of(l, id) ((l) * NODES + (id) / TURNS)
#if TURNS > 1
#define id_now(c) (TURNS * ((c) % NODES) + turn[c])
#else
#define id_now(c) ((c) % NODES)
#endif

/* Where a contender is. */
#define IDLE 0
#define ASKING 1
#define SLEEPING 2
#define REPLIED 3
#define HOLDING 4
#define ENDING 5
byte at[CONTENDERS];
bit turn[CONTENDERS];
bool current[CONTENDERS];    /* whether the token that it was told is that of the lock's latest grant */
bool overslept[CONTENDERS];  /* its lease ended in the store while it had it: it stood still past its deadline */
#ifdef DATA_LOSS
bool robbed[CONTENDERS];     /* the store lost its lock, or an operator revoked it: it learns of that by its next renewal */
#endif

/*
 * The record: F when it has no owner, C while it is handed over, R while it is released, and else H. What has run out counts as F, which two ways can
 * tell apart: the short acquire, and it looks at the queue then as it would without, and the short release (over).
 */
typedef Record {
    byte owner = NOBODY;
    byte handed = NOBODY;      /* to whom it was handed over, until that one claims it; its entry is the only one */
    byte entries;
#ifdef QUEUE_FLAG
    bool flag;                 /* look at the queue */
#endif
#ifdef AT_LEAST
    bool released;
#endif
#ifdef ENTRIES_COUNT
    byte counted;
#endif
#ifdef DATA_LOSS
    /* Of the numbers that tokens are, two things matter: is the last one known, as it is while there is a record, and is the clock ahead of all
       that were ever given. */
    bool known;
    bool ahead = true;
#endif
};
Record lock[LOCKS];

/* Who was granted the lock and has not lost it in a rightful way: its last entry released, its lease over, revoked. */
byte granted_to[LOCKS] = NOBODY;

/* One command whose caller has stopped waiting for it. The server gets it at any time later, or never. */
#define NONE 0
#define ACQUIRE 1
#define RENEW 2
#define RELEASE 3
#define CLAIM 4
byte late;                   /* which command */
byte late_by;
byte late_id;
bool late_flag;              /* for an acquire, whether it waits; for a renewal or a claim, whether its token is the latest */

/* What the last script replied: 1 for granted, renewed, released. */
bool reply;

/* Messages of a handover to an entry, or the reply to a release that hands over: heard as late as they like, any number of times, or never. Its window
   is not over (FRESH), or the lock was lost within it by nobody's fault (ROBBED). Where the window is over the deadline that is proven has passed. */
#define FRESH 1
#define ROBBED 2
byte told[IDS * LOCKS];
bool by_reply;               /* whether the release that comes takes a handover by its reply */

/* Scratch within a step, no part of the state. */
hidden byte i, j, found, before, had;

/* What an assertion is about; false for ever. */
hidden byte G1_one_owner, G2_told_first, G3_tokens_grow, G5_own_release_only, G5_told_truly, G6_repeating_changes_nothing, G8_clean_cancel, G9_fair;

#ifdef AT_LEAST
#define is_resting(l) lock[l].released
#else
#define is_resting(l) false
#endif

#define is_mentioned(l, id) ((lock[l].entries & bit_of(id)) || lock[l].handed == (id) || is_owned_by(l, id) || is_queued(l, id) || told[(l) * IDS + (id)] || is_over(l, id) || \
    (late != NONE && late_id == (id) && lock_of(late_by) == (l)))

