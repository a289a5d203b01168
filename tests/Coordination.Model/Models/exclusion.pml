/*
 * Is there ever more than one? Nothing here is ever on time: any request, reply and renewal may be lost or late, any node may stand
 * still for any time at any step and for ever, which is what a crash is, any lease and claim window may run out at any moment and any
 * waiter may count as dead. Where that may be, the first waiter alive is any one that waits, or none, so the queue is a set.
 *
 * Switches: SHARED_OWNER (re-entry), AT_LEAST (a lock may have to rest after its release), DATA_LOSS (records are deleted, and tokens with
 * them, an operator revokes the lock, the clock steps).
 * Broken twins: NO_OWNER_CHECK, RENEWAL_RECREATES, ENTRIES_COUNT, TOKEN_OF_TIME_ALONE, LATE_REPLY_REVIVES, OLDER_HANDOVER, CLAIM_ACQUIRES, RELEASE_UNSEEN;
 * of SHARED_OWNER: ANY_ENTRY, ENTRY_REPLACES; of DATA_LOSS: EARLIER_HANDOVER.
 */
#ifndef NODES
#define NODES 3
#endif
#ifndef LOCKS
#define LOCKS 1
#endif
#ifndef TURNS
#define TURNS 1
#endif

/* Whose only entry the record names still, though its lease is over. */
#define is_over(l, id) (over[l] == (id))

#include "keys.pml"

byte over[LOCKS] = NOBODY;
bool is_sure[CONTENDERS];    /* its release is sent before its deadline: the store looks at no clock for it */
byte queued[LOCKS];
byte chosen = NOBODY;

#define leave_queue(l, w) queued[l] = queued[l] & ~bit_of(w)
#define join_queue(l, w) queued[l] = queued[l] | bit_of(w)
#define first_live_waiter(l, asker) found = chosen
#define is_queued(l, id) (queued[l] & bit_of(id))
#define note_grant(l, id) over[l] = NOBODY
#define note_handover(l, w) skip
#define note_handover_by_reply(l, w) skip
#define note_lapse(l) skip

/* Nobody else's record stands then, and an owner of several entries has to be looked at. */
inline note_over(l) {
    over[l] = NOBODY;
    if
    :: lock[l].handed == NOBODY && !is_resting(l) ->
        j = 0;
        do
        :: j < IDS ->
            if
            :: lock[l].entries == bit_of(j) -> over[l] = j
            :: else
            fi;
            j++
        :: else -> break
        od
    :: else
    fi
}

#include "scripts.pml"

/* Who is the first waiter alive, if a script that comes now looks for one. */
inline choose_waiter(l, looks) {
    if
    :: chosen = NOBODY
    :: (looks) && is_queued(l, 0) -> chosen = 0
    :: (looks) && is_queued(l, 1) -> chosen = 1
    :: (looks) && is_queued(l, 2) -> chosen = 2
    :: (looks) && is_queued(l, 3) -> chosen = 3
    :: (looks) && is_queued(l, 4) -> chosen = 4
    :: (looks) && is_queued(l, 5) -> chosen = 5
    fi
}

/* Whether a request waits is open each time, which is more than the node does. */
inline run_acquire(l, id) {
    choose_waiter(l, lock[l].owner == NOBODY);
    d_step { acquire(l, id, false); chosen = NOBODY }
    if
    :: true
    :: !reply && !is_queued(l, id) -> join_queue(l, id)
    fi
}

inline run_release(l, id) {
    choose_waiter(l, lock[l].owner == owner_of(id));
    if
    :: by_reply = false
    :: chosen != NOBODY -> by_reply = true
    fi;
    if
    :: d_step { release(l, id, false); chosen = NOBODY; by_reply = false }
#ifdef AT_LEAST
    :: d_step { release(l, id, true); chosen = NOBODY; by_reply = false }
#endif
    fi
}

inline become(place) {
    at[me] = place;
    current[me] = false;
    overslept[me] = false;
    is_sure[me] = false;
#ifdef DATA_LOSS
    robbed[me] = false;
#endif
}

/* Done with this acquisition; the next one has another entry. */
inline become_idle() {
    become(IDLE);
#ifndef SHARED_OWNER
    told[lock_of(me) * IDS + id_now(me)] = 0;
#endif
#if TURNS > 1
    turn[me] = 1 - turn[me];
#endif
    skip
}

/* release.lua, where the record says what the request does, and nobody looks at the clock. It changes the state from H to F, and no more. */
inline release_what_is_over(l) {
    assert(!overslept[me] || G5_told_truly);
    over[l] = NOBODY
}

/* Waiter.cs, TryTakeOver. A message says for which entry it is, and where its window is over the deadline has passed. */
#if defined(ANY_ENTRY) && defined(SHARED_OWNER)
#define told_to(c) told[lock_of(c) * IDS + (told[lock_of(c) * IDS + id_now(c)] == 0 && (c) < 2 -> 1 - (c) : id_now(c))]
#else
#define told_to(c) told[lock_of(c) * IDS + id_now(c)]
#endif
#define is_told(c) (told_to(c) != 0)
inline start(c) {
    at[c] = HOLDING;
    current[c] = (told_to(c) == FRESH);
    overslept[c] = false;
#ifdef DATA_LOSS
    robbed[c] = (told_to(c) == ROBBED);
#endif
    verify(lock_of(c))
}

/* What it is told now is later than any handover before. */
inline learn_of_refusal(c) {
#ifdef EARLIER_HANDOVER
    if
    :: told_to(c) -> told_to(c) = FRESH
    :: else
    fi
#else
    told_to(c) = 0
#endif
}

/* Acquirer, WaitingRoom, LeaseKeeper and the watchdog, for one lock of one node. */
proctype Contender(byte me) {
end:
    do
    :: atomic { at[me] == IDLE && !is_mentioned(lock_of(me), id_now(me)) -> at[me] = ASKING }

    /* Asks, until it is granted or gives up. When the reply is lost it asks again by the same request. */
    :: atomic { at[me] == ASKING ->
        run_acquire(lock_of(me), id_now(me));
        if
        :: reply -> reply = false; at[me] = REPLIED; current[me] = true
        :: !reply -> learn_of_refusal(me)
        :: true -> reply = false
        fi }
    /* Hears of a handover: has the lock before it has claimed it. */
    :: atomic { at[me] == ASKING && is_told(me) -> start(me) }
    :: atomic { at[me] == ASKING && late == NONE -> leave_late(ACQUIRE, false) }
    /* A try that is refused. */
    :: atomic { at[me] == ASKING -> become_idle() }
    /* Gives up, and undoes what it may have been granted. */
    :: atomic { at[me] == ASKING || at[me] == REPLIED -> become(ENDING) }

    /* The grant arrives, in time. */
#ifdef LATE_REPLY_REVIVES
    :: atomic { at[me] == REPLIED -> overslept[me] = false; at[me] = HOLDING }
#else
    :: atomic { at[me] == REPLIED && !overslept[me] -> at[me] = HOLDING }
#endif
    /* It is lost, or too late for its deadline: asks again by the same request. */
    :: atomic { at[me] == REPLIED -> become(ASKING) }

    /* Renews. Whatever the time, a holder that overslept is told before it does anything else. */
    :: atomic { at[me] == HOLDING && !overslept[me] ->
        d_step { renew(lock_of(me), id_now(me), current[me]) }
        if
        :: !reply -> become(ENDING)
        :: true
        fi;
        reply = false }
    :: atomic { at[me] == HOLDING && !overslept[me] && late == NONE -> leave_late(RENEW, current[me]) }
    /* Claims, or has claimed: beside all else, so that its release may come before. */
    :: atomic { at[me] == HOLDING && !overslept[me] ->
        d_step { claim(lock_of(me), id_now(me), current[me]) }
        if
        :: !reply -> become(ENDING)
        :: true
        fi;
        reply = false }
    :: atomic { at[me] == HOLDING && !overslept[me] && late == NONE -> leave_late(CLAIM, current[me]) }
    /* Releases; or its deadline passes, and it releases all the same. */
    :: atomic { at[me] == HOLDING && !overslept[me] -> become(ENDING); is_sure[me] = true }
#ifdef RELEASE_UNSEEN
    :: atomic { at[me] == HOLDING && overslept[me] -> become(ENDING); is_sure[me] = true; overslept[me] = true }
#else
    :: atomic { at[me] == HOLDING -> become(ENDING) }
#endif

    /* Releases or undoes, until there is a reply. When the reply is lost it does so again. */
    :: atomic { at[me] == ENDING && is_sure[me] && is_over(lock_of(me), id_now(me)) ->
        release_what_is_over(lock_of(me));
        if
        :: become_idle()
        :: true
        fi }
    :: atomic { at[me] == ENDING ->
        run_release(lock_of(me), id_now(me));
        reply = false;
        if
        :: become_idle()
        :: true
        fi }
    :: atomic { at[me] == ENDING && late == NONE -> leave_late(RELEASE, false) }
    /* Gives up, or the holder is never heard of again. */
    :: atomic { at[me] == ENDING -> become_idle() }
    od
}

/* The server's clock, as the keys of one lock know it. */
proctype Clock(byte l) {
end:
    do
    :: atomic { lock[l].owner != NOBODY -> d_step { expire(l) } }
    /* Some other lock's grant, or nothing for long: the record is written anew. */
    :: atomic { over[l] != NOBODY -> over[l] = NOBODY }
    /* Waiters that have been dead for long are gone for good. */
    :: atomic { is_queued(l, 0) -> leave_queue(l, 0) }
    :: atomic { is_queued(l, 1) -> leave_queue(l, 1) }
    :: atomic { is_queued(l, 2) -> leave_queue(l, 2) }
    :: atomic { is_queued(l, 3) -> leave_queue(l, 3) }
    :: atomic { is_queued(l, 4) -> leave_queue(l, 4) }
    :: atomic { is_queued(l, 5) -> leave_queue(l, 5) }
#ifdef DATA_LOSS
    /* The clock goes on, and steps back. When the last token is lost it has gone on since. */
    :: atomic { !lock[l].ahead -> lock[l].ahead = true }
    :: atomic { lock[l].ahead && lock[l].known -> lock[l].ahead = false }
    /* An eviction, a DEL by hand, or, of a lock that is free, the end of the days for which a record is kept. */
    :: atomic { lock[l].known -> d_step { rob(l); delete_lock(l); over[l] = NOBODY; lock[l].known = false; lock[l].ahead = true } }
    /* FLUSHALL, a restart with nothing on the disk: the queue is lost with it. */
    :: atomic { lock[l].known -> d_step { rob(l); delete_lock(l); over[l] = NOBODY; queued[l] = 0; lock[l].known = false; lock[l].ahead = true } }
    /* revoke.lua */
    :: atomic { lock[l].owner != NOBODY -> choose_waiter(l, true); d_step { rob(l); pass_on(l); verify(l); chosen = NOBODY } }
#endif
    od
}

/* A command that nobody waits for any more arrives, or never does. */
proctype Network() {
end:
    do
    :: atomic { late == ACQUIRE -> run_acquire(lock_of(late_by), late_id); reply = false; forget_late() }
    :: atomic { late == RENEW -> d_step { renew(lock_of(late_by), late_id, late_flag); reply = false } forget_late() }
    :: atomic { late == CLAIM -> d_step { claim(lock_of(late_by), late_id, late_flag); reply = false } forget_late() }
    :: atomic { late == RELEASE -> run_release(lock_of(late_by), late_id); reply = false; forget_late() }
#ifdef SHARED_OWNER
    /* A message gets lost, or comes to an owner that waits by no such entry. One to an owner that is gone is lost with it. */
    :: atomic { told[0] -> told[0] = 0 }
    :: atomic { told[1] -> told[1] = 0 }
    :: atomic { told[2] -> told[2] = 0 }
#endif
    :: atomic { late != NONE -> forget_late() }
    od
}

init {
    atomic {
        run Contender(0);
        run Contender(1);
#if CONTENDERS > 2
        run Contender(2);
#endif
#if CONTENDERS > 3
        run Contender(3);
#endif
#if CONTENDERS > 4
        run Contender(4);
        run Contender(5);
#endif
        run Clock(0);
#if LOCKS > 1
        run Clock(1);
#endif
        run Network()
    }
}
