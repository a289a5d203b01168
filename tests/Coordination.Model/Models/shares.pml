/*
 * A lock that several may hold at a time: are there ever too many, and is everybody served, in order? Each contender wants a share, holds by
 * a grant of its own, and counts its own deadline. Until faults end, at a moment that nobody knows, any lease and claim window may run out at
 * any moment, and requests, replies and notifications are lost or late. Without SERVED faults never end.
 *
 * One of: SEMAPHORE (PERMITS permits, three nodes), READERS (one node writes, two read), UPGRADE (a node reads and may go on to write, by a
 * contender of its own; another one reads, reads and may go on to write, or writes: each time as it likes).
 * Switches: WATCHED (whose wait ends, with SERVED), ONCE (nobody comes a second time), NOTHING_LATE, REVOKES (by an operator), CRASHES.
 * Broken twins: ONE_TOO_MANY, LAPSED_TWICE, NUMBER_OF_COUNT, STAYS_FREE of SEMAPHORE; TOKEN_OF_STEP, READER_PASSES, ONE_HANDOVER of READERS;
 * BESIDE_READER, UPGRADE_BEHIND of UPGRADE; ANY_SHARE, FROM_REPLY.
 */
#ifndef CRASHES
#ifdef SERVED
#define CRASHES 1
#else
#define CRASHES 0              /* who gives up without a word, or stands still for ever, does as much */
#endif
#endif
#ifndef PERMITS
#define PERMITS 2
#endif
#ifndef WATCHED
#define WATCHED 0
#endif
#define CONTENDERS 3
#define NOBODY 15
#define bit_of(c) (1 << (c))
#define READER 0               /* of whose read the upgrade is */
#define UPGRADER 2             /* of the same node */
#ifdef UPGRADE
#define node_of(c) ((c) == UPGRADER -> READER : (c))
#else
#define node_of(c) (c)
#endif

/* Numbers of permits stop nobody. */
#if defined(SEMAPHORE) && !defined(SERVED)
#define NUMBERS
#endif

/* What each wants. */
#ifdef SEMAPHORE
#define reads(c) false
#define may_upgrade(c) false
#define is_upgrade(c) false
#define writes(c) false
#endif
#ifdef READERS
#define reads(c) ((c) != 0)
#define may_upgrade(c) false
#define is_upgrade(c) false
#define writes(c) ((c) == 0)
#endif
#ifdef UPGRADE
#define READS 0
#define READS_AND_MAY_WRITE 1
#define WRITES 2
byte other_wants;
#define reads(c) ((c) == 1 && other_wants == READS)
#define may_upgrade(c) ((c) == READER || ((c) == 1 && other_wants == READS_AND_MAY_WRITE))
#define is_upgrade(c) ((c) == UPGRADER)
#define writes(c) ((c) == UPGRADER || ((c) == 1 && other_wants == WRITES))
#endif

/* Where a contender is. */
#define IDLE 0
#define ASKING 1
#define SLEEPING 2
#define REPLIED 3
#define HOLDING 4
#define ENDING 5
byte at[CONTENDERS];
bool waits[CONTENDERS];               /* whether its request joins the queue */
bool placed[CONTENDERS];              /* it was told its place in the queue, and has not missed since that a share was passed to it */
bool current[CONTENDERS];             /* whether the token that it was told is that of its grant */
#ifdef REVOKES
bool robbed[CONTENDERS];              /* an operator revoked its grant: it learns of that by its next renewal */
#define is_robbed(c) robbed[c]
#define forget_robbery(c) robbed[c] = false
#else
#define is_robbed(c) false
#define forget_robbery(c) skip
#endif
bool overslept[CONTENDERS];           /* its lease ended in the store while it had it: it stood still past its deadline */
#ifdef SERVED
#define is_sure(c) true        /* with nobody in the queue, it makes no difference to those who wait */
#define note_sure(c, value) skip
#else
bool sure[CONTENDERS];         /* its release is sent before its deadline, and says so */
#define is_sure(c) sure[c]
#define note_sure(c, value) sure[c] = value
#endif
bool renewed[CONTENDERS];
bool done[CONTENDERS];                /* does not come again */
bool told[CONTENDERS];                /* a handover that it hears of as late as it likes */
bool crashed[CONTENDERS];
byte crashes;
#ifdef SERVED
bool stable;                   /* faults are over */
#else
#define stable false
#endif

/* The hash: a grant for each owner, which may have run out and is still there; and the field for the whole lock. */
#define NONE 0
#define HANDED 1
#define HELD 2
byte grant[CONTENDERS];
bool over[CONTENDERS];                /* its lease has ended */
#ifdef NUMBERS
byte permit[CONTENDERS];
byte taken;                    /* the numbers that are not free */
#endif
byte count;
byte upgradeable;
byte writers;
bool flag;                     /* look at the queue */

/* The queue, in the order of arrival, and who in it is alive. */
byte waiters[CONTENDERS] = NOBODY;
byte length;
byte alive;

/* One command whose caller has stopped waiting for it. The server gets it at any time later, or never. */
#define ACQUIRE 1
#define RELEASE 2
#define CLAIM 3
byte late;
byte late_by;
bool late_flag;                /* for an acquire, whether it waits; for a release, whether it is sure; for a claim, whether its token is the grant's */

/* What a script replies, whom it told of a handover, and what it finds of the clock. */
bool reply;
bool has_nothing;              /* there is no reader of whom it is an upgrade */
byte told_of;
bool ahead;                    /* the time is above all tokens: for a script that comes now */
bool by_reply;

/* Scratch within a step, no part of the state. */
hidden byte i, j, k, w, before, live, live_writers, live_upgradeable, believed, believed_writers;
hidden byte is_turn, has_ended;

/* What an assertion is about; false for ever. */
hidden byte G1_capacity, G1_writer_alone, G1_one_upgradeable, G2_told_first, G3_tokens_grow, G5_own_release_only, G9_fair;
hidden byte permits_differ, no_place_left;

#define is_live(c) (grant[c] != NONE && !over[c])
#define is_queued(c) (waiters[0] == (c) || waiters[1] == (c) || waiters[2] == (c))
#define is_alive(c) (alive & bit_of(c))
#define is_up(c) (!crashed[node_of(c)])
/* Waits as that entry, and has missed nothing. */
#define is_attentive(c) (is_up(c) && placed[c] && (at[c] == ASKING || at[c] == SLEEPING))
#define believes(c) (at[c] == HOLDING && !overslept[c] && !is_robbed(c))
#define relies_on(c) (is_live(c) && (at[c] == HOLDING || at[c] == REPLIED))
#define is_mentioned(c) (grant[c] != NONE || is_queued(c) || told[c] || (late != NONE && late_by == (c)))

#define has_reader(c) (!is_upgrade(c) || is_live(READER))
/* shares.lua, fits: by what the field for the whole lock says. */
#ifdef SEMAPHORE
#ifdef ONE_TOO_MANY
#define fits(c) (count <= PERMITS)
#else
#define fits(c) (count < PERMITS)
#endif
#else
#ifdef BESIDE_READER
#define fits_upgrade has_reader(UPGRADER)
#else
#define fits_upgrade (count == 1 && has_reader(UPGRADER))
#endif
#define fits(c) (is_upgrade(c) -> fits_upgrade : (reads(c) -> writers == 0 : (may_upgrade(c) -> writers == 0 && upgradeable == 0 : count == 0)))
#endif

#define counts_as(c, sign) \
    count = count sign 1; \
    upgradeable = (may_upgrade(c) -> upgradeable sign 1 : upgradeable); \
    writers = (writes(c) -> writers sign 1 : writers)

/* Of three numbers there is always a free one. */
#ifdef NUMBERS
#ifdef NUMBER_OF_COUNT
#define take_number(c) permit[c] = count; taken = taken | bit_of(permit[c])
#else
#define take_number(c) permit[c] = (!(taken & 1) -> 0 : (!(taken & 2) -> 1 : 2)); taken = taken | bit_of(permit[c])
#endif
#define free_number(c) taken = taken & ~bit_of(permit[c]); permit[c] = 0
#define note_number(c) taken = taken | bit_of(permit[c])
#define forget_number(c) permit[c] = 0
#define forget_numbers() taken = 0
#else
#define take_number(c) skip
#define free_number(c) skip
#define note_number(c) skip
#define forget_number(c) skip
#define forget_numbers() skip
#endif

/* shares.lua, leave_shares_queue */
inline leave_queue(c) {
    alive = alive & ~bit_of(c);
    i = 0;
    do
    :: i < length && waiters[i] != c -> i++
    :: else -> break
    od;
    if
    :: i < length ->
        do
        :: i + 1 < length -> waiters[i] = waiters[i + 1]; i++
        :: else -> break
        od;
        waiters[i] = NOBODY;
        length--
    :: else
    fi
}

/* share-acquire.lua: behind the others, and an upgrade before all that are none, once; and alive again each time that it asks. */
inline join_queue(c) {
    if
    :: !is_queued(c) ->
        i = length;
#ifndef UPGRADE_BEHIND
        do
        :: i > 0 && is_upgrade(c) -> waiters[i] = waiters[i - 1]; i--
        :: else -> break
        od;
#endif
        waiters[i] = c;
        length++
    :: else
    fi;
    alive = alive | bit_of(c)
}

#define find_flag() flag = (length != 0)

/* shares.lua, add_grant. Whoever stands before it is gone, has a share, or missed that one was passed to it. */
inline add_grant(c, state) {
    i = 0;
    do
    :: i < length && waiters[i] != c ->
        assert(!is_attentive(waiters[i]) || is_live(waiters[i]) || is_upgrade(c) || G9_fair);
        i++
    :: else -> break
    od;
    /* The token is one above the last one, unless the time is above it: at the first grant of a step, if at any. */
#ifdef TOKEN_OF_STEP
    assert(before == NOBODY || G3_tokens_grow);
    before = c;
#endif
    take_number(c);
    counts_as(c, +);
    grant[c] = state;
    over[c] = false;
    current[c] = false;
    late_flag = (late == CLAIM && late_by == c -> false : late_flag)
}

/* shares.lua, remove_grant */
inline remove_grant(c) {
    counts_as(c, -);
    free_number(c);
    grant[c] = NONE;
    over[c] = false
}

/* shares.lua, read_shares: what has run out is taken away, and all others are counted. */
inline read_shares() {
    before = NOBODY;
    count = 0;
    upgradeable = 0;
    writers = 0;
    forget_numbers();
    k = 0;
    do
    :: k < CONTENDERS ->
        if
        :: over[k] -> grant[k] = NONE; over[k] = false; forget_number(k)
        :: !over[k] && grant[k] != NONE -> counts_as(k, +); note_number(k)
        :: else
        fi;
        k++
    :: else -> break
    od
}

/* share-release.lua: a waiter of the same node that is the first, and fits, has it by the reply, and needs no claim. */
inline hand_over_by_reply() {
    k = 0;
    do
    :: k < length && !is_alive(waiters[k]) -> k++
    :: else -> break
    od;
    if
    :: k < length && has_reader(waiters[k]) && grant[waiters[k]] == NONE && fits(waiters[k]) ->
        w = waiters[k];
        add_grant(w, HELD);
        leave_queue(w);
        told_of = told_of | bit_of(w)
    :: else
    fi
}

/* shares.lua, pass_shares_on: to the first live waiter, and to as many behind it as fit. It ends at who is asking, whose turn comes another way. */
#ifdef UPGRADE_BEHIND
#define ends_at(asker, c) ((c) == (asker))
#else
#define ends_at(asker, c) ((c) == (asker) || ((asker) != NOBODY && is_upgrade(asker) && !is_upgrade(c)))
#endif
inline pass_on(asker) {
    is_turn = true;
    has_ended = false;
    k = 0;
    do
    :: k < length && is_turn && !has_ended ->
        w = waiters[k];
        if
        :: ends_at(asker, w) -> has_ended = true
        :: !ends_at(asker, w) && is_alive(w) ->
            if
            :: !has_reader(w) -> alive = alive & ~bit_of(w); placed[w] = false
            :: has_reader(w) && grant[w] == NONE && fits(w) ->
                add_grant(w, HANDED);
                alive = alive & ~bit_of(w);
                told_of = told_of | bit_of(w);
#ifdef ONE_HANDOVER
                has_ended = true
#endif
            :: else -> is_turn = false
            fi
        :: else
        fi;
        k++
    :: else -> break
    od
}

#ifdef UPGRADE
#define read_beside_upgrade (is_live(READER) && is_live(UPGRADER))
#define belief_beside_upgrade (believes(READER) && believes(UPGRADER))
#else
#define read_beside_upgrade false
#define belief_beside_upgrade false
#endif

/* What must be so after each script, by the grants themselves and not by what the field for the whole lock says. */
inline verify() {
    live = 0;
    live_writers = 0;
    live_upgradeable = 0;
    believed = 0;
    believed_writers = 0;
    j = 0;
    do
    :: j < CONTENDERS ->
        live = live + is_live(j);
        live_writers = live_writers + (is_live(j) && writes(j));
        live_upgradeable = live_upgradeable + (is_live(j) && may_upgrade(j));
        believed = believed + believes(j);
        believed_writers = believed_writers + (believes(j) && writes(j));
        j++
    :: else -> break
    od;
#ifdef SEMAPHORE
    assert(live <= PERMITS || G1_capacity);
    assert(believed <= PERMITS || G1_capacity);
#else
    assert(live_writers == 0 || live - read_beside_upgrade == 1 || G1_writer_alone);
    assert(believed_writers == 0 || believed - belief_beside_upgrade == 1 || G1_writer_alone);
    assert(live_upgradeable <= 1 || G1_one_upgradeable);
#endif
    j = 0;
    do
    :: j < CONTENDERS ->
        assert(!believes(j) || is_live(j) || G2_told_first);
#ifdef NUMBERS
        assert(!is_live(j) || !is_live((j + 1) % CONTENDERS) || permit[j] != permit[(j + 1) % CONTENDERS] || permits_differ);
#endif
        j++
    :: else -> break
    od;
    j = 0
}

#ifdef SEMAPHORE
#define has_room(c) (live < PERMITS)
#else
#define has_room(c) (is_upgrade(c) -> live == 1 : (writes(c) -> live == 0 : live_writers == 0 && !(may_upgrade(c) && live_upgradeable)))
#endif

/* Who is the first to wait waits with a reason. */
inline verify_passed_on() {
    verify();
    k = 0;
    do
    :: k < length && (!is_alive(waiters[k]) || grant[waiters[k]] != NONE) -> k++
    :: else -> break
    od;
    assert(k == length || !has_room(waiters[k]) || no_place_left)
}

/* share-acquire.lua */
inline acquire(c, joins) {
    reply = false;
    has_nothing = false;
    before = NOBODY;
    if
    :: ahead && !flag && grant[c] == NONE && !is_upgrade(c) && fits(c) ->
        /* The short way, with the time for a token. */
        add_grant(c, HELD);
        reply = true;
        verify()
    :: else ->
        read_shares();
        if
        :: grant[c] != NONE -> reply = true
        :: grant[c] == NONE && !has_reader(c) -> leave_queue(c); pass_on(NOBODY); find_flag(); has_nothing = true; verify_passed_on()
        :: else ->
            pass_on(c);
#ifdef READER_PASSES
            if
            :: (is_turn || reads(c)) && fits(c) -> add_grant(c, HELD); reply = true
#else
            if
            :: is_turn && fits(c) -> add_grant(c, HELD); reply = true
#endif
            :: else ->
                if
                :: joins -> join_queue(c)
                :: else
                fi;
                find_flag();
                /* A late try ends at its own place in the queue, also where it counts as dead there: those behind it ask by themselves. */
                if
                :: joins || !is_queued(c) -> verify_passed_on()
                :: else -> verify()
                fi
            fi
        fi;
        if
        :: reply -> grant[c] = HELD; leave_queue(c); find_flag(); verify()
        :: else
        fi
    fi;
    ahead = false
}

/* share-renew.lua */
inline renew(c, has_token) {
    reply = is_live(c) && has_token;
    grant[c] = (reply -> HELD : grant[c]);
    verify()
}

/* share-claim.lua */
inline claim(c, has_token) {
    reply = is_live(c) && has_token;
    if
    :: reply -> grant[c] = HELD; leave_queue(c); find_flag()
    :: else
    fi;
    verify()
}

/* share-release.lua */
inline release(c, lasts) {
    before = NOBODY;
    if
#ifdef LAPSED_TWICE
    :: lasts && !flag && (grant[c] == HELD || (grant[c] == NONE && count > 0)) -> remove_grant(c);
#else
    :: lasts && !flag && grant[c] == HELD && !is_upgrade(c) ->
        /* The short way: nobody looks at the clock. */
        remove_grant(c);
#endif
        verify()
    :: else ->
        read_shares();
        leave_queue(c);
        w = c;
#ifdef ANY_SHARE
        k = 0;
        do
        :: k < CONTENDERS && grant[w] == NONE -> w = k; k++
        :: else -> break
        od;
#endif
        if
        :: grant[w] != NONE -> assert(w == c || G5_own_release_only); remove_grant(w)
        :: else -> by_reply = false
        fi;
        if
        :: by_reply -> hand_over_by_reply()
        :: else
        fi;
#ifdef STAYS_FREE
        if
        :: count == 0 -> pass_on(NOBODY)
        :: else
        fi;
#else
        pass_on(NOBODY);
#endif
        find_flag();
        verify_passed_on()
    fi;
    by_reply = false
}

#ifdef REVOKES
/* share-revoke.lua. Whoever relies on it is not to blame, and who was to claim it has lost its turn. */
inline revoke(c) {
    read_shares();
    robbed[c] = (at[c] == HOLDING || at[c] == REPLIED || told[c]);
    placed[c] = false;
    remove_grant(c);
    pass_on(NOBODY);
    find_flag();
    verify_passed_on()
}
#endif

/*
 * The lease is over. Who relies on it still has stood still past its deadline, which came before, for it counts from before it asked
 * (deadline.pml); and the deadline that is proven of a handover has passed (handover.pml). Who was to claim it has missed its turn.
 */
inline expire(c) {
#ifdef FROM_REPLY
    overslept[c] = (at[c] == HOLDING);
#else
    overslept[c] = (at[c] == HOLDING || at[c] == REPLIED);
#endif
    placed[c] = (grant[c] == HANDED -> false : placed[c]);
    told[c] = false;
    over[c] = true
}

inline leave_late(kind, what) {
    late = kind;
    late_by = me;
    late_flag = what
}

inline forget_late() {
    late = NONE;
    late_by = 0;
    late_flag = false
}

/* What becomes of the messages of the script that has just run: who was handed a share hears of it, or does not. */
inline tell_one(c) {
    if
    :: !(told_of & bit_of(c))
    :: (told_of & bit_of(c)) -> told[c] = true
    :: (told_of & bit_of(c)) && !stable -> placed[c] = false; told[c] = false
    fi
}

inline tell() {
    if
    :: told_of ->
        tell_one(0);
        tell_one(1);
        tell_one(2);
        told_of = 0
    :: else
    fi
}

inline put(c, place) {
    at[c] = place;
    current[c] = false;
    overslept[c] = false;
    placed[c] = false;
    renewed[c] = false;
    told[c] = false;
    note_sure(c, false);
    forget_robbery(c)
}

inline become_idle() {
    put(me, IDLE);
    waits[me] = false
#ifdef ONCE
    ; done[me] = true
#endif
}

inline die(c) {
    put(c, IDLE);
    waits[c] = false;
    done[c] = true
}

/* The waiter that is watched lives and does not give up. Else fairness would have it do so when it can do nothing else. */
#ifdef SERVED
#define may_leave(c) ((c) != WATCHED || !waits[c])
#else
#define may_leave(c) true
#endif

#ifdef UPGRADE
#define may_begin(c) (!is_upgrade(c) || believes(READER))
#define is_upgraded (at[UPGRADER] != IDLE)
#define may_crash(c) (may_leave(c) && ((c) != READER || may_leave(UPGRADER)) && (c) != WATCHED)
#else
#define may_begin(c) true
#define is_upgraded false
#define may_crash(c) (may_leave(c) && (c) != WATCHED)
#endif
/* Who goes on to write reads meanwhile, unless its user releases that too. */
#ifdef SERVED
#define may_release(c) ((c) != READER || !is_upgraded)
#else
#define may_release(c) true
#endif

#ifdef NOTHING_LATE
#define may_be_late false
#else
#define may_be_late (!stable && late == NONE)
#endif

/* Acquirer, WaitingRoom, LeaseKeeper and the watchdog, for one share. */
proctype Contender(byte me) {
end:
    do
    /* Begins: waits in the queue, or tries once. */
    :: atomic { at[me] == IDLE && is_up(me) && !done[me] && !is_mentioned(me) && may_begin(me) ->
        at[me] = ASKING;
#ifdef UPGRADE
        if
        :: me == 1 -> other_wants = READS
        :: me == 1 -> other_wants = READS_AND_MAY_WRITE
        :: me == 1 -> other_wants = WRITES
        :: me != 1
        fi;
#endif
        if
        :: waits[me] = true
#ifndef ONCE
        :: true
#endif
        fi }

#if defined(SERVED) && !defined(ONCE)
    :: atomic { at[me] == IDLE && is_up(me) && !done[me] -> done[me] = true }
#endif

    /* Asks. When the reply is lost it asks again by the same request. */
    :: atomic { at[me] == ASKING && is_up(me) ->
        if
        :: ahead = true
        :: ahead = false
        fi;
        d_step { acquire(me, waits[me]) }
        tell();
        if
        :: reply -> put(me, REPLIED); current[me] = true
        :: has_nothing -> become_idle()
        :: !reply && !has_nothing && waits[me] -> at[me] = SLEEPING; placed[me] = true; told[me] = false
        :: !reply && !has_nothing && !waits[me] -> become_idle()
        :: reply && !stable -> placed[me] = false
        :: !reply && !stable
        fi;
        reply = false;
        has_nothing = false }
    /* The request is late, or lost. A try that failed so may go on as a wait, by the same request. */
    :: atomic { at[me] == ASKING && is_up(me) && may_be_late -> leave_late(ACQUIRE, waits[me]) }
    :: atomic { at[me] == ASKING && is_up(me) && !stable && !waits[me] -> waits[me] = true }

    /* Wakes: at the end of a lease that it was told of at the latest. */
    :: atomic { at[me] == SLEEPING && is_up(me) -> at[me] = ASKING }

    /* Hears of a handover: holds before it has claimed it. */
    :: atomic { at[me] == SLEEPING && is_up(me) && told[me] ->
        d_step { waits[me] = false; told[me] = false; placed[me] = false; at[me] = HOLDING; current[me] = true; verify() } }

    /* Gives up, and undoes what it may have been granted. */
    :: atomic { (at[me] == ASKING || at[me] == SLEEPING || at[me] == REPLIED) && is_up(me) && may_leave(me) -> waits[me] = false; put(me, ENDING) }

    /* The grant arrives, in time; or too late for its deadline, or never: then it asks again by the same request. */
    :: atomic { at[me] == REPLIED && is_up(me) && !overslept[me] -> d_step { waits[me] = false; at[me] = HOLDING; verify() } }
    :: atomic { at[me] == REPLIED && is_up(me) && (overslept[me] || !stable) -> put(me, ASKING) }

    /* Claims or renews, once for all: a second time finds nothing that the first one did not. */
    :: atomic { at[me] == HOLDING && is_up(me) && !overslept[me] && !renewed[me] ->
        if
        :: d_step { claim(me, current[me]) }
#if !defined(SEMAPHORE) && !defined(SERVED)
        /* Leaves its waiter in the queue, where it counts as dead. */
        :: d_step { renew(me, current[me]) }
#endif
        fi;
        renewed[me] = true;
        if
        :: !reply -> put(me, ENDING)
        :: reply || !stable
        fi;
        reply = false }
    :: atomic { at[me] == HOLDING && is_up(me) && !overslept[me] && may_be_late -> leave_late(CLAIM, current[me]) }
    /* Releases; or its deadline passes, and it releases all the same. */
    :: atomic { at[me] == HOLDING && is_up(me) && !overslept[me] && may_release(me) -> put(me, ENDING); note_sure(me, true) }
    :: atomic { at[me] == HOLDING && is_up(me) && overslept[me] -> put(me, ENDING) }

    /* Releases or undoes, until there is a reply. When the reply is lost it does so again. */
    :: atomic { at[me] == ENDING && is_up(me) ->
        if
        :: by_reply = false
        :: flag -> by_reply = true
        fi;
        d_step { release(me, is_sure(me)) }
        tell();
        if
        :: become_idle()
        :: !stable
        fi }
    :: atomic { at[me] == ENDING && is_up(me) && may_be_late -> leave_late(RELEASE, is_sure(me)) }
    /* Gives up, or the holder is never heard of again. */
    :: atomic { at[me] == ENDING && is_up(me) && !stable -> become_idle() }

    /* Dies, and with it all that the node knew. */
    :: atomic { is_up(me) && !is_upgrade(me) && crashes < CRASHES && may_crash(me) ->
        d_step {
            crashes++;
            crashed[me] = true;
            die(me);
#ifdef UPGRADE
            if
            :: me == READER -> die(UPGRADER)
            :: else
            fi
#endif
        } }
    od
}

/* Relies on it, or will: the claim or the reply is on its way. */
#define has_it(c) (is_up(c) && (relies_on(c) || (waits[c] && (at[c] == ASKING || (at[c] == SLEEPING && (placed[c] || told[c]))))))
/* Is dead, or ended without a word. Whoever is ending still takes itself out. */
#define is_gone(c) (!is_up(c) || at[c] == IDLE)

/* The end of a lease or of a claim window; of a waiter's life in the store; and its end in the queue long after. */
#define time_of(c)     :: atomic { is_live(c) && (!stable || !has_it(c)) -> d_step { expire(c) } }     :: atomic { is_alive(c) && is_gone(c) -> alive = alive & ~bit_of(c) }     :: atomic { !is_alive(c) && is_queued(c) && is_gone(c) -> d_step { leave_queue(c) } }

/* The server's clock, as the keys of one lock know it. */
proctype Clock() {
end:
    do
    time_of(0)
    time_of(1)
    time_of(2)
#ifdef REVOKES
    :: atomic { is_live(0) -> d_step { revoke(0) } tell() }
    :: atomic { is_live(1) -> d_step { revoke(1) } tell() }
    :: atomic { is_live(2) -> d_step { revoke(2) } tell() }
#endif
    od
}

/* A command that nobody waits for any more arrives, or never does. */
proctype Network() {
end:
    do
    :: atomic { late == ACQUIRE ->
        if
        :: ahead = true
        :: ahead = false
        fi;
        d_step { acquire(late_by, late_flag); reply = false; has_nothing = false }
        tell();
        forget_late() }
    :: atomic { late == CLAIM -> d_step { claim(late_by, late_flag); reply = false } forget_late() }
    :: atomic { late == RELEASE -> d_step { release(late_by, late_flag) } tell(); forget_late() }
    :: atomic { late != NONE -> forget_late() }
    od
}

#ifdef SERVED
/* Faults end. Time goes on, also when nobody does anything any more: a wait for ever is an endless run. */
proctype Calm() {
    stable = true;
    do
    :: stable
    od
}

#define waits_for_it (waits[WATCHED])
ltl served { [] (waits_for_it -> <> !waits_for_it) }
#endif

init {
    atomic {
        run Contender(0);
        run Contender(1);
        run Contender(2);
        run Clock();
#ifndef NOTHING_LATE
        run Network();
#endif
#ifdef SERVED
        run Calm()
#endif
    }
}
