/*
 * Is who starts by a handover, before it has claimed it, told in time? One lock, a waiter, a clock. The waiter asks, is refused and sleeps. Then
 * the store hands the lock over to it at P, for the claim window, and says so in a message, which comes as late as it likes, again, or not at all;
 * or in the reply to the release of a neighbour, which is of the same node. The waiter starts when it hears, and claims beside its work.
 * Its deadline counts from a moment that is proven to lie before P: its last ask was sent at c, and refused at S. So P was no earlier than c + (P - S).
 *
 * Others take the lock, release it, and stop waiting or go on as they like; an operator may revoke the lock of others. The waiter may be stopped for
 * any time. Another server may take over, whose clock is ahead. The node hears at some time that it has reconnected, before or after anything else, or never;
 * replies and messages of the server before come as late as they like. So each carries the number of the connections by which it came, which the client counts before
 * it makes them: a handover is taken at once only where it is that of the last ask.
 *
 * SUSPENSION: the machine of the waiter may be suspended, so that its clock stands still.
 *
 * Broken twins: FROM_HEARING, BY_OWN_CLOCK, EARLIER_HANDOVER, NEWS_ALONE, LAST_ASK_STAYS, MESSAGE_STAYS, OLDER_ENTRY, WHOLE_WINDOW, REPLY_FROM_ARRIVAL, CLAIM_FROM_REPLY,
 * and of SUSPENSION: HANDOVER_FROM_BEFORE.
 */
#ifndef LEASE
#define LEASE 4
#endif
#ifndef WINDOW
#define WINDOW 3
#endif
#define MARGIN 1
#define OFFSET 2                /* by how much the other server's clock is ahead, and the waiter's wall clock behind */
#define LIMIT (LEASE - MARGIN)     /* nobody minds how much longer ago it was */

/* The store. */
#define FREE 0
#define OTHERS 1
#define HANDED 2                /* over to the waiter, for the claim window */
#define HELD 3                  /* by the waiter, or given to it by the reply to a release */
byte state = FREE;
byte lasts;                     /* how much longer, where it is the waiter's */
bool queued;                    /* the waiter, as its present entry */

/* The waiter. */
#define ASKING 0
#define SLEEPING 1
#define HOLDING 2
byte at = ASKING;
byte remaining;                 /* until its deadline */
bool current;                   /* its token is that of the latest grant */
bool stopped;
bool wakes;

/* Its ask: on its way, then its reply on the way back. How long ago it was sent, and how long it took until it was applied. */
#define NONE 0
#define SENT 1
#define REFUSED 2
#define GRANTED 3
byte ask;
byte ask_age;
byte ask_took;
bool ask_current;
bool ask_by_another;            /* the reply is of the server before this one */

/* What it knows of its last ask: S - c, by its own clock and by the store's. */
bool knows;
byte took;
bool of_another_clock;
#ifdef EARLIER_HANDOVER
byte asked_ago;
#define note_asked(ago) asked_ago = ago
#else
#define note_asked(ago) skip
#endif

/* One of the messages of a handover that were sent. Each waits for its turn, and any may be the one that is heard. */
bool told;
byte told_ago;                  /* since P */
bool told_current;              /* its token is that of the latest grant */
bool told_entry;                /* it is for the present entry */
bool told_after;                /* P is no earlier than S of what the waiter knows */
bool told_before_reply;         /* P is earlier than S of the reply that is on its way */
bool told_by_another;           /* by the server before this one */

/* The release of a neighbour: on its way, then its reply on the way back, by which the waiter is given the lock. */
byte release;
byte release_age;
bool release_current;
bool release_entry;

/* Its claim, and later its renewals. Then one that it does not wait for any more. */
byte claim;
byte claim_age;
bool late;
bool late_current;

bool failed_over;

#ifdef SUSPENSION
bool suspended;                 /* its clock stands still, or did and it has not looked yet */
bool doubtful;                  /* relies on its lease no more, until that is renewed */
/* What was sent before a suspension. */
bool ask_is_old;
bool known_is_old;
bool release_is_old;
bool claim_is_old;
#ifdef HANDOVER_FROM_BEFORE
#define proves(is_old) true
#else
#define proves(is_old) (!is_old)
#endif
#define stands_still suspended
#define is_doubtful doubtful
#define note_old(what, is_old) what = is_old
#else
#define ask_is_old false
#define known_is_old false
#define release_is_old false
#define claim_is_old false
#define proves(is_old) true
#define stands_still false
#define is_doubtful false
#define note_old(what, is_old) skip
#endif

hidden byte G2_told_first;
hidden short time_left;

/* Any grant makes every token that was told before an older one. */
inline new_token() {
    current = false;
    ask_current = false;
    told_current = false;
    release_current = false;
    late_current = false
}

/* acquire.lua. Whose turn it is when the lock is free is open. */
inline apply_ask() {
    ask_took = ask_age;
    if
    :: state == HANDED || state == HELD -> state = HELD; lasts = (lasts > LEASE -> lasts : LEASE); queued = false; ask = GRANTED; ask_current = true
    :: state == FREE -> new_token(); state = HELD; lasts = LEASE; queued = false; ask = GRANTED; ask_current = true
    :: state == FREE -> state = OTHERS; queued = true; ask = REFUSED; told_before_reply = told
    :: state == OTHERS -> queued = true; ask = REFUSED; told_before_reply = told
    fi
}

/* prelude.lua, hand_over: the message is on its way, or one before it is the one that is heard. */
inline hand_over() {
    new_token();
    state = HANDED;
    lasts = WINDOW;
    if
    :: told = true; told_ago = 0; told_current = true; told_entry = true; told_after = true; told_before_reply = false; told_by_another = false
    :: true
    fi
}

/* release.lua: a waiter of the same node has the lock by the reply. */
inline hand_over_by_reply() {
    new_token();
    state = HELD;
    lasts = WINDOW;
    queued = false;
    release = GRANTED;
    release_current = true;
    release_entry = true
}

/* claim.lua, renew.lua */
inline apply_claim(is_current) {
    if
    :: (state == HANDED || state == HELD) && is_current -> state = HELD; lasts = (lasts > LEASE -> lasts : LEASE); queued = false
    :: else
    fi
}

inline forget_told() {
    told = false;
    told_ago = 0;
    told_current = false;
    told_entry = false;
    told_after = false;
    told_before_reply = false;
    told_by_another = false
}

inline forget_ask() {
    ask = NONE;
    ask_age = 0;
    ask_took = 0;
    ask_current = false;
    ask_by_another = false;
    told_before_reply = false;
    note_old(ask_is_old, false)
}

inline forget_last_ask() {
    knows = false;
    took = 0;
    of_another_clock = false;
    note_asked(0);
    note_old(known_is_old, false)
}

inline forget_release() {
    release = NONE;
    release_age = 0;
    release_current = false;
    release_entry = false;
    note_old(release_is_old, false)
}

inline forget_claim() {
    claim = NONE;
    claim_age = 0;
    note_old(claim_is_old, false)
}

/* Holds no more, and begins anew with another entry. */
inline begin_anew() {
    at = ASKING;
    remaining = 0;
    current = false;
    queued = false;
    told_entry = false;
    release_entry = false;
    told_after = false;
    forget_ask();
    forget_last_ask();
    forget_claim();
    note_old(doubtful, false)
}

/* LeaseKeeper.cs, TryAccept: starts unless the deadline has passed. */
inline start(until_deadline, is_current, is_old) {
    time_left = until_deadline;
    if
    :: time_left > 0 && proves(is_old) -> at = HOLDING; remaining = time_left; current = is_current; forget_ask(); forget_last_ask(); claim = NONE
    :: else -> at = ASKING
    fi
}

#ifdef WHOLE_WINDOW
#define window_left WINDOW
#else
#define window_left (WINDOW - MARGIN)
#endif

/* Waiter.cs, TryTakeOver */
#define skew(x) ((x) -> OFFSET : 0)
#define is_of_one (of_another_clock == told_by_another)
#ifdef NEWS_ALONE                /* the last ask is forgotten when the node hears that it has reconnected */
#define is_comparable true
#elif defined(MESSAGE_STAYS)     /* a message counts as of the server that there is when it is handled */
#define is_comparable (is_of_one || told_by_another)
#elif defined(LAST_ASK_STAYS)    /* a message of this server counts, whichever replied to the last ask */
#define is_comparable (is_of_one || of_another_clock)
#else
#define is_comparable is_of_one
#endif
/* Which of two clocks shows more says nothing. */
#define is_after (is_comparable && (told_after || !is_of_one))
#define since_proof (took + told_ago - skew(of_another_clock != told_by_another))
#if defined(FROM_HEARING)
#define is_taken (told_entry && knows && is_after)
#define proven window_left
#elif defined(BY_OWN_CLOCK)
#define is_taken (told_entry && knows && is_after)
#define proven (window_left - told_ago + OFFSET)
#elif defined(EARLIER_HANDOVER)
#define is_taken (told_entry && knows && is_comparable)
#define proven (window_left - told_after * since_proof - (1 - told_after) * asked_ago)
#elif defined(OLDER_ENTRY)
#define is_taken (knows && is_comparable)
#define proven (window_left - since_proof)
#else
#define is_taken (told_entry && knows && is_after && since_proof >= 0)
#define proven (window_left - since_proof)
#endif

#ifdef REPLY_FROM_ARRIVAL
#define proven_by_reply window_left
#else
#define proven_by_reply (window_left - release_age)
#endif

#define runs (!stopped && !wakes)

proctype Waiter() {
end:
    do
    /* Asks. The reply counts, unless it comes too late; or it is lost. */
    :: atomic { runs && at == ASKING && ask == NONE -> ask = SENT; ask_age = 0 }
    :: atomic { runs && at == ASKING && ask == GRANTED ->
        if
        :: LEASE - MARGIN - ask_age > 0 && proves(ask_is_old) -> at = HOLDING; remaining = LEASE - MARGIN - ask_age; current = ask_current; forget_last_ask()
        :: else
        fi;
        forget_ask() }
    :: atomic { runs && at == ASKING && ask == REFUSED ->
        at = SLEEPING;
        knows = true;
        took = ask_took;
        of_another_clock = ask_by_another;
        note_asked(ask_age);
        told_after = told && !told_before_reply;
        note_old(known_is_old, ask_is_old);
        forget_ask() }
    :: atomic { runs && at == ASKING && ask != NONE -> forget_ask(); at = SLEEPING }

    /* Wakes, by itself or by what it hears: and asks again, or starts. It may hear the same once more. */
    :: atomic { runs && at == SLEEPING -> at = ASKING }
    :: atomic { runs && at == SLEEPING && told ->
        if
        :: is_taken -> start(proven, told_current, known_is_old)
        :: else -> at = ASKING
        fi }
    :: atomic { runs && at == SLEEPING && release == GRANTED ->
        if
        :: release_entry -> start(proven_by_reply, release_current, release_is_old)
        :: else -> at = ASKING
        fi;
        forget_release() }
    /* Hears that it has reconnected. */
    :: atomic { runs && knows && of_another_clock -> forget_last_ask() }
    /* Gives up, and what it may have been handed over is passed on. */
    :: atomic { runs && at != HOLDING ->
        if
        :: state == HANDED || state == HELD -> state = FREE; lasts = 0
        :: true
        fi;
        begin_anew() }

    /* Claims, and renews. */
    :: atomic { runs && at == HOLDING && claim == NONE && remaining > 0 -> claim = SENT; claim_age = 0 }
    :: atomic { runs && at == HOLDING && claim == GRANTED && remaining > 0 ->
#ifdef CLAIM_FROM_REPLY
        remaining = LEASE - MARGIN;
#else
        time_left = LEASE - MARGIN - claim_age;
        if
        :: time_left > remaining && proves(claim_is_old) -> remaining = time_left
        :: else
        fi;
#endif
        note_old(doubtful, doubtful && claim_is_old);
        forget_claim() }
    :: atomic { runs && at == HOLDING && claim == REFUSED -> begin_anew() }
    :: atomic { runs && at == HOLDING && claim != NONE -> forget_claim() }

    /* Its deadline has passed; or it releases: first here, then there, and the command may get lost. A claim that is under way may come after it. */
    :: atomic { runs && at == HOLDING ->
        if
        :: claim == SENT -> late = true; late_current = current
        :: true
        fi;
        if
        :: (state == HANDED || state == HELD) && current -> state = FREE; lasts = 0
        :: true
        fi;
        begin_anew() }

    :: atomic { runs -> stopped = true }
#ifdef SUSPENSION
    :: atomic { runs -> stopped = true; suspended = true }
#endif
    :: atomic { stopped -> stopped = false; wakes = true }
    :: atomic { wakes ->
        wakes = false;
#ifdef SUSPENSION
        if
        :: suspended ->
            doubtful = (at == HOLDING);
            ask_is_old = (ask != NONE);
            known_is_old = knows;
            release_is_old = (release != NONE);
            claim_is_old = (claim != NONE)
        :: else
        fi;
        suspended = false;
#endif
        if
        :: at == HOLDING && remaining == 0 -> begin_anew()
        :: else
        fi }
    od
}

/* The store, and those who use it besides. */
proctype Store() {
end:
    do
    :: atomic { ask == SENT -> d_step { apply_ask() } }
    :: atomic { claim == SENT -> d_step { apply_claim(current); claim = ((state == HELD) && current -> GRANTED : REFUSED) } }
    :: atomic { late -> d_step { apply_claim(late_current); late = false; late_current = false } }
    :: atomic { late -> late = false; late_current = false }

    :: atomic { state == FREE -> state = OTHERS }
    :: atomic { state == OTHERS -> state = FREE }
    /* Released, lapsed or revoked, or noticed to be free by another: the waiter is the first one alive. */
    :: atomic { (state == OTHERS || state == FREE) && queued -> hand_over() }

    /* A release of a neighbour, whose reply may be lost: the waiter is told to ask then. */
    :: atomic { state == OTHERS && release == NONE -> release = SENT; release_age = 0 }
    :: atomic { release == SENT && state == OTHERS && queued -> d_step { hand_over_by_reply() } }
    :: atomic { release != NONE -> forget_release() }

    /* A message gets lost. */
    :: atomic { told -> forget_told() }

#ifndef SUSPENSION
    /* Another server takes over. Of what it counts by its clock is less left, and nothing of what is the waiter's: that is a loss of data. */
    :: atomic { !failed_over && at != HOLDING && (state == OTHERS || state == FREE) ->
        failed_over = true;
        told_by_another = told;
        of_another_clock = knows;
        if
        :: ask == REFUSED -> ask_by_another = true
        :: forget_ask()
        fi }
#endif
    od
}

#define has_looked (!runs || at != HOLDING || remaining > 0)
#define next(x) ((x) > 0 -> (x) - 1 : 0)
#define older(is, x) ((is) -> ((x) < LIMIT -> (x) + 1 : LIMIT) : 0)

proctype Clock() {
end:
    do
    :: atomic { has_looked ->
        d_step {
            if
            :: state == HANDED || state == HELD ->
                lasts = next(lasts);
                if
                :: lasts == 0 -> state = FREE
                :: else
                fi
            :: else
            fi;
            told_ago = older(told, told_ago);
            if
            :: stands_still
            :: else ->
                remaining = next(remaining);
                ask_age = older(ask != NONE, ask_age);
                release_age = older(release != NONE, release_age);
                claim_age = older(claim != NONE, claim_age);
                note_asked(older(knows, asked_ago))
            fi
        } }
    od
}

/* Who relies on its lease, and runs or has time left by its own clock, has it in the store for the margin longer. */
#define is_own ((state == HANDED || state == HELD) && current)
#define is_safe (at != HOLDING || stands_still || is_doubtful || (remaining > 0 -> is_own && lasts >= remaining + MARGIN : !runs || (is_own && lasts > 0)))

proctype Monitor() {
    assert(is_safe || G2_told_first)
}

init {
    atomic {
        run Waiter();
        run Store();
        run Clock();
        run Monitor()
    }
}
