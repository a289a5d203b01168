/*
 * Is everybody served, and in order? Here nodes are on time unless they crash: a holder renews before its lease is over, and a waiter
 * that heard claims within the claim window and asks again before it counts as dead. Faults end at a moment that nobody knows. Until
 * then requests, replies and notifications are lost or late, and leases and claim windows run out under their owners.
 *
 * Switches: SILENT (no notification ever arrives), ONCE (nobody comes a second time), CRASHES (how many nodes may crash, at any time),
 * NAMES (how many releases name their successor, as when a leader steps down for a node; before it is ended, its work is).
 * Broken twins: MESSAGE_ALONE, NO_LIVENESS_CHECK, BARGING, FLAG_CLEARED; with NAMES also WORK_GOES_ON.
 */
#ifndef NODES
#define NODES 3
#endif
#ifndef LOCKS
#define LOCKS 1
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#define TURNS 1
#define QUEUE_FLAG
#define is_over(l, id) false
#define note_over(l) skip

#include "keys.pml"

/* The keys …:waiters and …:alive. */
typedef Queue {
    byte waiters[NODES] = NOBODY;
    byte count;
    byte alive;
};
Queue queue[LOCKS];

bool waits[CONTENDERS];     /* whether its request joins the queue */
bool placed[CONTENDERS];    /* it was told its place in the queue, and has not missed since that the lock was passed to it */
bool renewed[CONTENDERS];
#ifdef MESSAGE_ALONE
bool heard[CONTENDERS];     /* a notification has come, or is on its way */
#define is_woken(c) heard[c]
#define wakes_by_itself false
#define forget_what_was_heard(c) heard[c] = false
#else
#define wakes_by_itself true
#define forget_what_was_heard(c) skip
#define is_woken(c) true       /* by a notification, or for the holder's lease was said to last no longer */
#endif
bool done[CONTENDERS];      /* does not come again */
bool crashed[NODES];
byte crashes;
bool stable;                   /* faults are over */
byte told_of = NOBODY;         /* to whom the script passed the lock */
byte others;                   /* who else is told to ask again */
#ifdef NAMES
byte successor = NOBODY;       /* whom the release that comes names */
byte named;                    /* how many have named one */
#define is_named(id) (successor == (id))
#else
#define is_named(id) false
#endif

#define is_queued(l, id) (queue[l].waiters[0] == (id) || queue[l].waiters[1] == (id) || queue[l].waiters[NODES - 1] == (id))
#define is_alive(l, id) (queue[l].alive & bit_of(id))
#define is_queue_empty(l) (queue[l].count == 0)
#define is_up(c) (!crashed[(c) % NODES])
/* Waits as that entry, and has missed nothing. */
#define is_attentive(c) (is_up(c) && placed[c] && (at[c] == ASKING || at[c] == SLEEPING))

/* prelude.lua, leave_queue */
inline leave_queue(l, w) {
    queue[l].alive = queue[l].alive & ~bit_of(w);
    i = 0;
    do
    :: i < queue[l].count && queue[l].waiters[i] != w -> i++
    :: else -> break
    od;
    if
    :: i < queue[l].count ->
        do
        :: i + 1 < queue[l].count -> queue[l].waiters[i] = queue[l].waiters[i + 1]; i++
        :: else -> break
        od;
        queue[l].waiters[i] = NOBODY;
        queue[l].count--
    :: else
    fi
}

/* acquire.lua: a waiter comes to stand behind the others once, and is alive again each time that it asks. */
inline join_queue(l, w) {
    if
    :: !is_queued(l, w) -> queue[l].waiters[queue[l].count] = w; queue[l].count++
    :: else
    fi;
    queue[l].alive = queue[l].alive | bit_of(w)
}

/* prelude.lua, first_live_waiter */
inline first_live_waiter(l, asker) {
    found = NOBODY;
    i = 0;
    do
    :: i < queue[l].count && found == NOBODY ->
        if
#ifdef NO_LIVENESS_CHECK
        :: true -> found = queue[l].waiters[i]
#else
        :: owner_of(queue[l].waiters[i]) == asker || is_alive(l, queue[l].waiters[i]) -> found = queue[l].waiters[i]
        :: else
#endif
        fi;
        i++
    :: else -> break
    od
}

/* Whoever stands before the one that gets the lock is gone, or missed that the lock was passed to it; or that one was named by who had it. */
inline note_grant(l, id) {
    i = 0;
    do
    :: i < queue[l].count && queue[l].waiters[i] != id ->
        assert(!is_attentive(contender_of(l, queue[l].waiters[i])) || is_named(id) || G9_fair);
        i++
    :: else -> break
    od
}

inline note_handover(l, w) {
    queue[l].alive = queue[l].alive & ~bit_of(w);
    told_of = w;
    others = queue[l].alive
}

/* The reply is for a waiter that stood in the queue, and does no more. */
inline note_handover_by_reply(l, w) {
    told_of = w;
    others = queue[l].alive
}

/* Whoever was told the time of this grant is awake when it is up, for it sleeps no longer than that. */
inline note_lapse(l) {
    if
    :: lock[l].handed != NOBODY -> placed[contender_of(l, lock[l].handed)] = false
    :: else
    fi;
    j = (l) * NODES;
    do
    :: j < ((l) + 1) * NODES ->
        if
        :: at[j] == SLEEPING && current[j] && wakes_by_itself -> at[j] = ASKING; current[j] = false
        :: else
        fi;
        j++
    :: else -> break
    od
}

#include "scripts.pml"

/* What becomes of the messages of the script that has just run: who sleeps hears that it has the lock, or that it is to ask. */
inline tell(l) {
    if
    :: told_of == NOBODY
#ifdef SILENT
    :: told_of != NOBODY -> miss(l, told_of)
#else
    :: told_of != NOBODY -> hear(l, bit_of(told_of))
    :: told_of != NOBODY && !stable -> miss(l, told_of)
#endif
    fi;
#ifndef SILENT
    if
    :: others == 0
    :: others != 0 -> hear(l, others)
    :: others != 0 && !stable
    fi;
#endif
    told_of = NOBODY;
    others = 0
}

inline miss(l, id) {
    placed[contender_of(l, id)] = false;
    told[(l) * IDS + (id)] = 0
}

inline hear(l, ids) {
#ifdef MESSAGE_ALONE
    d_step {
        i = 0;
        do
        :: i < NODES ->
            if
            :: ids & bit_of(i) -> heard[(l) * NODES + i] = true
            :: else
            fi;
            i++
        :: else -> break
        od
    }
#else
    skip
#endif
}

inline put(c, place) {
    at[c] = place;
    current[c] = false;
    overslept[c] = false;
    placed[c] = false;
    renewed[c] = false;
    told[lock_of(c) * IDS + id_now(c)] = 0;
    forget_what_was_heard(c)
}

#define become(place) put(me, place)

inline become_idle() {
    become(IDLE);
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
#define may_leave(c) ((c) != 0 || !waits[c])
#else
#define may_leave(c) true
#endif

#ifdef NAMES
/* Steps down for a node, whether it waits or not. */
inline name_successor(c) {
    if
    :: true
    :: named < NAMES -> named++; successor = (id_now(c) + 1) % NODES
    :: named < NAMES && NODES > 2 -> named++; successor = (id_now(c) + 2) % NODES
    fi
}
#define forget_successor() successor = NOBODY
#else
#define name_successor(c) skip
#define forget_successor() skip
#endif

#ifdef NOTHING_LATE
#define may_be_late false
#else
#define may_be_late !stable && late == NONE
#endif

/* Acquirer, WaitingRoom, LeaseKeeper and the watchdog, for one lock of one node. */
proctype Contender(byte me) {
end:
    do
    /* Begins: waits in the queue, or tries once. */
    :: atomic { at[me] == IDLE && is_up(me) && !done[me] && !is_mentioned(lock_of(me), id_now(me)) ->
        at[me] = ASKING;
        if
        :: waits[me] = true
#ifndef ONCE
        :: true
#endif
        fi }

#ifndef ONCE
    :: atomic { at[me] == IDLE && is_up(me) && !done[me] -> done[me] = true }
#endif

    /* Asks. When the reply is lost it asks again by the same request. What it heard before it forgets: it asks after all. */
    :: atomic { at[me] == ASKING && is_up(me) ->
        d_step { forget_what_was_heard(me); acquire(lock_of(me), id_now(me), waits[me]) }
        tell(lock_of(me));
        if
        :: reply -> become(REPLIED); current[me] = true
        :: !reply && waits[me] -> at[me] = SLEEPING; placed[me] = true; current[me] = true
        :: !reply && !waits[me] -> become_idle()
        :: reply && !stable -> placed[me] = false
        :: !reply && !stable
        fi;
        reply = false }
    /* The request is late, or lost. A try that failed so may go on as a wait, by the same request. */
    :: atomic { at[me] == ASKING && is_up(me) && may_be_late -> leave_late(ACQUIRE, waits[me]) }
    :: atomic { at[me] == ASKING && is_up(me) && !stable && !waits[me] -> waits[me] = true }

    :: atomic { at[me] == SLEEPING && is_up(me) && is_woken(me) -> at[me] = ASKING; current[me] = false }

    /* Hears of a handover: has the lock before it has claimed it. */
    :: atomic { at[me] == SLEEPING && is_up(me) && told[me] == FRESH -> waits[me] = false; at[me] = HOLDING; current[me] = true; overslept[me] = false; told[me] = 0 }

    /* Gives up, and undoes what it may have been granted. */
    :: atomic { (at[me] == ASKING || at[me] == SLEEPING || at[me] == REPLIED) && is_up(me) && may_leave(me) -> waits[me] = false; become(ENDING) }

    /* The grant arrives, in time; or too late for its deadline, or never: then it asks again by the same request. */
    :: atomic { at[me] == REPLIED && is_up(me) && !overslept[me] -> waits[me] = false; at[me] = HOLDING }
    :: atomic { at[me] == REPLIED && is_up(me) && (overslept[me] || !stable) -> become(ASKING) }

    /* Claims, or renews, once for all: a second one finds nothing that the first one did not. */
    :: atomic { at[me] == HOLDING && is_up(me) && !overslept[me] && !renewed[me] ->
        d_step { claim(lock_of(me), id_now(me), current[me]); renewed[me] = true }
        if
        :: !reply -> become(ENDING)
        :: reply || !stable
        fi;
        reply = false }
    :: atomic { at[me] == HOLDING && is_up(me) && !overslept[me] && may_be_late -> leave_late(CLAIM, current[me]) }
    /* Releases; or its deadline passes, and it releases all the same. */
    :: atomic { at[me] == HOLDING && is_up(me) -> become(ENDING) }
#ifdef WORK_GOES_ON
    :: atomic { at[me] == HOLDING && is_up(me) -> name_successor(me); d_step { release(lock_of(me), id_now(me), false); reply = false; forget_successor() } tell(lock_of(me)) }
#endif

    /* Releases or undoes, until there is a reply. When the reply is lost it does so again. */
    :: atomic { at[me] == ENDING && is_up(me) ->
        if
        :: by_reply = false
        :: by_reply = true
        fi;
        name_successor(me);
        d_step { release(lock_of(me), id_now(me), false); reply = false; by_reply = false; forget_successor() }
        tell(lock_of(me));
        if
        :: become_idle()
        :: !stable
        fi }
    :: atomic { at[me] == ENDING && is_up(me) && may_be_late -> leave_late(RELEASE, false) }
    /* Gives up, or the holder is never heard of again. */
    :: atomic { at[me] == ENDING && is_up(me) && !stable -> become_idle() }

    /* Dies, and with it all that the node knew, of either lock. */
    :: atomic { is_up(me) && crashes < CRASHES && may_leave(me) -> d_step { crashes++; crashed[me % NODES] = true; die(me % NODES); die(me % NODES + CONTENDERS - NODES) } }
    od
}

#define has_it(c) (is_up(c) && relies_on(c, lock_of(c)))
#define is_had(l) (has_it((l) * NODES) || has_it((l) * NODES + 1) || has_it((l) * NODES + NODES - 1))
#define will_claim(c) (is_attentive(c) || (is_up(c) && waits[c] && at[c] == ASKING))
/* By a reply, which is there or comes: it starts, or asks and is granted what it has. */
#define is_given(c) (told[c] == FRESH && is_up(c) && waits[c] && (at[c] == ASKING || at[c] == SLEEPING))
#define is_being_claimed(l) ((lock[l].handed != NOBODY && will_claim(contender_of(l, lock[l].handed))) || \
    (lock[l].owner != NOBODY && lock[l].handed == NOBODY && is_given(contender_of(l, lock[l].owner))))
/* Is dead, or ended without a word. Whoever is ending still takes itself out. */
#define is_gone(l, id) (!is_up(contender_of(l, id)) || at[contender_of(l, id)] == IDLE)

/* The end of a waiter's life in the store, and its end in the queue long after. */
#define lapse(l, id) atomic { is_alive(l, id) && is_gone(l, id) -> queue[l].alive = queue[l].alive & ~bit_of(id) }
#define clear_away(l, id) atomic { !is_alive(l, id) && is_queued(l, id) && is_gone(l, id) -> d_step { leave_queue(l, id) } }

/* The server's clock, as the keys of one lock know it. */
proctype Clock(byte l) {
end:
    do
    :: atomic { lock[l].owner != NOBODY && (!stable || !(is_had(l) || is_being_claimed(l))) -> d_step { expire(l) } }
#ifndef NO_LIVENESS_CHECK
    :: lapse(l, 0)
    :: lapse(l, 1)
    :: clear_away(l, 0)
    :: clear_away(l, 1)
#if NODES > 2
    :: lapse(l, 2)
    :: clear_away(l, 2)
#endif
#endif
    od
}

/* A command that nobody waits for any more arrives, or never does. */
proctype Network() {
end:
    do
    :: atomic { late == ACQUIRE ->
        d_step { acquire(lock_of(late_by), late_id, late_flag); reply = false }
        tell(lock_of(late_by));
        forget_late() }
    :: atomic { late == CLAIM -> d_step { claim(lock_of(late_by), late_id, late_flag); reply = false } forget_late() }
    :: atomic { late == RELEASE ->
        d_step { release(lock_of(late_by), late_id, false); reply = false }
        tell(lock_of(late_by));
        forget_late() }
    :: atomic { late != NONE -> forget_late() }
    od
}

/* Faults end. Time goes on, also when nobody does anything any more: a wait for ever is an endless run. */
proctype Calm() {
    stable = true;
    do
    :: stable
    od
}

#define waits_for_it (waits[0])
#ifdef SERVED
ltl served { [] (waits_for_it -> <> !waits_for_it) }
#endif

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
        run Network();
        run Calm()
    }
}
