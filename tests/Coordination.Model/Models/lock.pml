/*
 * The protocol of a lock: what the Lua scripts do to its keys, each at once, and what the nodes that want it do around them.
 * README.md beside this folder maps each step to the script or the class that it stands for, and says what is left out and why.
 *
 * NODES want each of LOCKS, again and again. Compiled as it is, it asks about safety: nothing is ever on time, any message may be
 * lost or late, any node may stop for any time at any step. With -DLIVE it asks about being served: nodes are on time unless they
 * crash, and faults end at some point that is not known.
 *
 * Switches of the environment: LIVE, SILENT (every notification is lost, for ever), ONCE (nobody comes a second time), CRASHES (how
 * many nodes may crash, with LIVE), DATA_LOSS (keys are deleted, a token is forgotten, an operator revokes the lock, clocks step),
 * AT_LEAST (a lock may have to rest after its release), SHARED_OWNER (nodes 0 and 1 are two tasks of one owner: re-entry).
 * Broken twins: NO_OWNER_CHECK, MESSAGE_ALONE, NO_LIVENESS_CHECK, RENEWAL_RECREATES, ENTRIES_COUNT, BARGING,
 * TOKEN_OF_TIME_ALONE, LATE_REPLY_REVIVES.
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
#define CONTENDERS (NODES * LOCKS)

/* A contender is a node that wants a lock. Each of its acquisitions has an entry of its own, and unless owners are shared an owner of
   its own. Two entries of a node are told apart; one is used again only when nothing anywhere mentions it any more. */
#define IDS (2 * NODES)
#define NOBODY 15
#define bit_of(id) (1 << (id))
#if defined(SHARED_OWNER)
#define owner_of(id) ((id) < 4 -> 0 : (id))
#else
#define owner_of(id) (id)
#endif
#define lock_of(c) ((c) / NODES)
#define contender_of(l, id) ((l) * NODES + (id) / 2)
#define id_now(c) (2 * ((c) % NODES) + gen[c])

/* The keys of a lock: the hash …:lock (owner, claim, released, and a field for each entry) and the sorted sets …:waiters and …:alive. */
typedef Keys {
    byte owner = NOBODY;
    byte claim = NOBODY;
    byte entries;
#ifdef LIVE
    byte queue[IDS] = NOBODY;
    byte waiters;
    byte alive;
#else
    byte queued;
#endif
#ifdef AT_LEAST
    bool released;
#endif
#ifdef ENTRIES_COUNT
    byte counted;
#endif
#ifdef DATA_LOSS
    /* Of the numbers that tokens are, three things matter: is the last one known, is the clock ahead of every token that was given, is
       the one before passed along. */
    bool known;
    bool ahead = true;
#endif
};
Keys lock[LOCKS];

/* Who was granted the lock and has not lost it in a rightful way: the release of its own last entry, the end of its lease, force. */
byte granted_to[LOCKS] = NOBODY;

/* Where a contender is. */
#define IDLE 0
#define ASKING 1
#define SLEEPING 2
#define ANSWERED 3
#define HOLDING 4
#define ENDING 5
byte at[CONTENDERS];
bit gen[CONTENDERS];
#ifdef LIVE
bool waits[CONTENDERS];      /* whether its request joins the queue */
#endif
bool current[CONTENDERS];    /* whether the token that it was told is that of the lock's latest grant */
bool overslept[CONTENDERS];  /* the lease ended in the store while it had it: it stood still past its deadline */
#ifdef DATA_LOSS
bool robbed[CONTENDERS];     /* the store lost its lock, or had it taken: it learns of it by its next renewal */
#endif

#ifdef LIVE
bool crashed[NODES];
byte crashes;
bool stable;                 /* faults are over */
#ifdef MESSAGE_ALONE
bool heard[CONTENDERS];      /* a notification has come, or is on its way */
#endif
bool deaf[CONTENDERS];       /* the lock was passed to it, and it did not hear or did not claim in time */
bool renewed[CONTENDERS];
#define is_up(c) (!crashed[(c) % NODES])
#define may_fail (!stable)
#else
#define is_up(c) true
#define may_fail true
#endif

/* One command whose caller has stopped waiting for it. The server gets it at any time later, or never. */
#define NONE 0
#define ACQUIRE 1
#define RENEW 2
#define RELEASE 3
byte late;
byte late_by;
byte late_id;
bool late_flag;

/* What a script answers and whom it tells, until its caller has taken that in within the same step. */
bool answer;
byte told = NOBODY;
byte again;

/* Scratch within a step, no part of the state. */
hidden byte i, j, found, before;
hidden byte had, previous;

/* What an assertion is about; false for ever. */
hidden byte G1_one_owner, G2_told_first, G3_tokens_grow, G5_own_release_only, G6_repeating_changes_nothing, G8_clean_cancel, G9_fair;

#ifdef AT_LEAST
#define is_released(l) lock[l].released
#else
#define is_released(l) false
#endif

inline delete_lock(l) {
    lock[l].owner = NOBODY;
    lock[l].claim = NOBODY;
    lock[l].entries = 0;
#ifdef AT_LEAST
    lock[l].released = false;
#endif
#ifdef ENTRIES_COUNT
    lock[l].counted = 0;
#endif
}

#ifdef LIVE
/* prelude.lua, leave_queue */
inline leave_queue(l, w) {
    lock[l].alive = lock[l].alive & ~bit_of(w);
    find(l, w);
    if
    :: i < lock[l].waiters ->
        do
        :: i + 1 < lock[l].waiters -> lock[l].queue[i] = lock[l].queue[i + 1]; i++
        :: else -> break
        od;
        lock[l].queue[i] = NOBODY;
        lock[l].waiters--
    :: else
    fi
}

inline join_queue(l, w) {
    find(l, w);
    if
    :: i == lock[l].waiters -> lock[l].queue[i] = w; lock[l].waiters++
    :: else
    fi;
    lock[l].alive = lock[l].alive | bit_of(w)
}

inline find(l, w) {
    i = 0;
    do
    :: i < lock[l].waiters && lock[l].queue[i] != w -> i++
    :: else -> break
    od
}

/* prelude.lua, first_live_waiter */
inline first_live_waiter(l, asker) {
    found = NOBODY;
    i = 0;
    do
    :: i < lock[l].waiters && found == NOBODY ->
        if
#ifdef NO_LIVENESS_CHECK
        :: true -> found = lock[l].queue[i]
#else
        :: owner_of(lock[l].queue[i]) == asker || (lock[l].alive & bit_of(lock[l].queue[i])) -> found = lock[l].queue[i]
        :: else
#endif
        fi;
        i++
    :: else -> break
    od
}

#define choose_waiter(l) skip
#define is_queued(l, id) (lock[l].queue[0] == (id) || lock[l].queue[1] == (id) || lock[l].queue[2] == (id) || lock[l].queue[3] == (id) || \
    lock[l].queue[IDS - 2] == (id) || lock[l].queue[IDS - 1] == (id))
#define is_alive(l, id) (lock[l].alive & bit_of(id))
#else
/* Where anybody may count as dead at any time, the first one alive is any one that waits, or nobody: order says nothing. */
#define leave_queue(l, w) lock[l].queued = lock[l].queued & ~bit_of(w)
#define join_queue(l, w) lock[l].queued = lock[l].queued | bit_of(w)
#define first_live_waiter(l, asker) found = chosen
#define is_queued(l, id) (lock[l].queued & bit_of(id))
#define is_alive(l, id) false

byte chosen = NOBODY;

inline choose_waiter(l) {
    if
    :: chosen = NOBODY
    :: is_queued(l, 0) -> chosen = 0
    :: is_queued(l, 1) -> chosen = 1
    :: is_queued(l, 2) -> chosen = 2
    :: is_queued(l, 3) -> chosen = 3
    :: is_queued(l, 4) -> chosen = 4
    :: is_queued(l, 5) -> chosen = 5
    fi
}
#endif

/* prelude.lua, grant */
inline grant(l, id) {
    assert(granted_to[l] == NOBODY || G1_one_owner);
#ifdef DATA_LOSS
#ifdef TOKEN_OF_TIME_ALONE
    assert(lock[l].ahead || G3_tokens_grow);
#else
    assert(previous || lock[l].known || lock[l].ahead || G3_tokens_grow);
#endif
    lock[l].known = true;
    lock[l].ahead = false;
#endif
#ifdef LIVE
    /* Nobody who came later gets it while somebody stands before it, waits, and was not passed over for not having heard. */
    i = 0;
    do
    :: i < lock[l].waiters && lock[l].queue[i] != (id) ->
        j = contender_of(l, lock[l].queue[i]);
        assert(!(is_up(j) && id_now(j) == lock[l].queue[i] && (at[j] == SLEEPING || at[j] == ASKING) && !deaf[j]) || G9_fair);
        i++
    :: else -> break
    od;
#endif
    lock[l].owner = owner_of(id);
    granted_to[l] = owner_of(id);
    i = 0;
    do
    :: i < NODES -> current[(l) * NODES + i] = false; i++
    :: else -> break
    od;
    if
    :: late == RENEW && lock_of(late_by) == (l) -> late_flag = false
    :: else
    fi
}

/* prelude.lua, hand_over. Who is told is noted; whether it hears is decided after. */
inline hand_over(l, w) {
    delete_lock(l);
    grant(l, w);
    lock[l].claim = w;
#ifdef LIVE
    lock[l].alive = lock[l].alive & ~bit_of(w);
    told = w;
    again = lock[l].alive
#else
    skip
#endif
}

/* prelude.lua, pass_on */
inline pass_on(l) {
    granted_to[l] = NOBODY;
    previous = true;
    first_live_waiter(l, NOBODY);
    if
    :: found != NOBODY -> hand_over(l, found)
    :: else -> delete_lock(l)
    fi;
    previous = false
}

/* What must be so after each script. */
inline verify(l) {
    assert(is_released(l) || lock[l].owner == granted_to[l] || G1_one_owner);
    j = (l) * NODES;
    do
    :: j < ((l) + 1) * NODES ->
        if
#ifdef DATA_LOSS
        :: at[j] == HOLDING && !overslept[j] && !robbed[j] ->
#else
        :: at[j] == HOLDING && !overslept[j] ->
#endif
            assert((lock[l].owner == owner_of(id_now(j)) && (lock[l].entries & bit_of(id_now(j))) && !is_released(l)) || G2_told_first)
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0
}

/* acquire.lua */
inline acquire(l, id, joins) {
    had = lock[l].owner == owner_of(id) && (lock[l].entries & bit_of(id)) && !is_released(l);
    before = lock[l].owner;
    if
    :: lock[l].owner == owner_of(id) && !is_released(l) ->
#ifdef ENTRIES_COUNT
        lock[l].counted++;
#endif
        lock[l].entries = lock[l].entries | bit_of(id);
        lock[l].claim = NOBODY;
        leave_queue(l, id);
        answer = 1
    :: else ->
        answer = 0;
        if
        :: lock[l].owner == NOBODY ->
            first_live_waiter(l, owner_of(id));
#ifdef BARGING
            found = NOBODY;
#endif
            if
            :: found == NOBODY || owner_of(found) == owner_of(id) ->
                grant(l, id);
                lock[l].entries = bit_of(id);
#ifdef ENTRIES_COUNT
                lock[l].counted = 1;
#endif
                leave_queue(l, id);
                answer = 1
            :: else -> hand_over(l, found)
            fi
        :: else
        fi;
        if
        :: !answer && joins ->
            join_queue(l, id)
        :: else
        fi
    fi;
    assert(!had || (answer && lock[l].owner == before) || G6_repeating_changes_nothing);
    verify(l)
}

/* renew.lua */
inline renew(l, id, is_current) {
    answer = 0;
    if
    :: lock[l].owner == owner_of(id) && !is_released(l) && is_current ->
        lock[l].claim = NOBODY;
        answer = 1
#ifdef RENEWAL_RECREATES
    :: lock[l].owner == NOBODY ->
        lock[l].owner = owner_of(id);
        lock[l].entries = bit_of(id);
        answer = 1
#endif
    :: else
    fi;
    verify(l)
}

/* release.lua */
inline release(l, id, rests) {
    leave_queue(l, id);
    if
#ifdef NO_OWNER_CHECK
    :: lock[l].owner == NOBODY || is_released(l) -> skip
#else
    :: lock[l].owner != owner_of(id) || is_released(l) -> skip
#endif
    :: else ->
        if
        :: lock[l].claim != NOBODY && lock[l].claim != id -> skip
        :: else ->
            assert(lock[l].owner == owner_of(id) || G5_own_release_only);
#ifdef NO_OWNER_CHECK
            lock[l].entries = 0;
#else
            lock[l].entries = lock[l].entries & ~bit_of(id);
#endif
            lock[l].claim = NOBODY;
#ifdef ENTRIES_COUNT
            lock[l].counted = (lock[l].counted > 0 -> lock[l].counted - 1 : 0);
#endif
            if
            :: lock[l].entries != 0 -> skip
#ifdef ENTRIES_COUNT
            :: lock[l].entries == 0 && lock[l].counted != 0 -> skip
#endif
#ifdef AT_LEAST
            :: lock[l].entries == 0 && rests -> lock[l].released = true; granted_to[l] = NOBODY
#endif
            :: else -> pass_on(l)
            fi
        fi
    fi;
    assert(!is_queued(l, id) || G8_clean_cancel);
    /* Whoever took its last entry out has nothing left there. */
    assert(lock[l].owner != owner_of(id) || lock[l].entries != 0 || lock[l].claim != NOBODY || is_released(l) || G6_repeating_changes_nothing);
    verify(l)
}

/* The keys' time is up. Whoever has the lock still has stood still past its deadline, which came before. */
inline expire(l) {
    j = (l) * NODES;
    do
    :: j < ((l) + 1) * NODES ->
        if
        :: (at[j] == HOLDING || at[j] == ANSWERED) && owner_of(id_now(j)) == lock[l].owner -> overslept[j] = true
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0;
#ifdef LIVE
    if
    :: lock[l].claim != NOBODY && id_now(contender_of(l, lock[l].claim)) == lock[l].claim -> deaf[contender_of(l, lock[l].claim)] = true
    :: else
    fi;
#endif
    delete_lock(l);
    granted_to[l] = NOBODY
}


#ifdef MESSAGE_ALONE
#define hear(l, id) heard[contender_of(l, id)] = heard[contender_of(l, id)] || id_now(contender_of(l, id)) == (id)
#define is_woken(c) heard[c]
#else
#define hear(l, id) skip
#define is_woken(c) true
#endif
#define miss(l, id) deaf[contender_of(l, id)] = deaf[contender_of(l, id)] || id_now(contender_of(l, id)) == (id)


/* What becomes of the messages of the script that has just run. Each may be lost; one that comes late is as good as one that comes. */
inline tell(l) {
#ifdef LIVE
    if
    :: told == NOBODY
#ifndef SILENT
    :: told != NOBODY -> hear(l, told)
    :: told != NOBODY && may_fail -> miss(l, told)
#else
    :: told != NOBODY -> miss(l, told)
#endif
    fi;
#ifdef MESSAGE_ALONE
    if
    :: again == 0
    :: again != 0 && may_fail
    :: again != 0 ->
        d_step {
            i = 0;
            do
            :: i < IDS -> if :: again & bit_of(i) -> hear(l, i) :: else fi; i++
            :: else -> break
            od
        }
    fi;
#endif
    told = NOBODY;
    again = 0
#else
    skip
#endif
}

#ifdef SHARED_OWNER
#define is_owned_by(l, id) false
#else
#define is_owned_by(l, id) (lock[l].owner == (id))
#endif
#define is_mentioned(l, id) ((lock[l].entries & bit_of(id)) || lock[l].claim == (id) || is_owned_by(l, id) || is_queued(l, id) || \
    (late != NONE && late_id == (id) && lock_of(late_by) == (l)))

inline leave_late(kind, flag) {
    late = kind;
    late_by = me;
    late_id = id_now(me);
    late_flag = flag
}

inline forget_late() {
    late = NONE;
    late_by = 0;
    late_id = 0;
    late_flag = false
}

inline forget_grant() {
    current[me] = false;
    overslept[me] = false;
#ifdef DATA_LOSS
    robbed[me] = false;
#endif
}

inline become(place) {
    at[me] = place;
    forget_grant();
#ifdef LIVE
    deaf[me] = false;
    renewed[me] = false;
#ifdef MESSAGE_ALONE
    heard[me] = false;
#endif
#endif
}

/* Done with this acquisition; the next one has another entry. */
inline become_idle() {
    become(IDLE);
    waits[me] = false;
    gen[me] = 1 - gen[me]
}

#ifdef ONCE
#define may_begin(c) (gen[c] == 0)
#else
#define may_begin(c) true
#endif

inline told_it_is_lost() {
    if
    :: become(ENDING)
#ifndef LIVE
    :: become_idle()
#endif
    fi
}

#ifdef LIVE
/* One renewal stands for all: it changes nothing that a second one would find otherwise. */
#define has_renewed(c) renewed[c]
#define note_renewal(c) renewed[c] = true
/* Waits as that entry, and is as quick as it should be. */
#define is_waiting_as(l, id) (is_up(contender_of(l, id)) && id_now(contender_of(l, id)) == (id) && \
    (at[contender_of(l, id)] == ASKING || at[contender_of(l, id)] == SLEEPING))
#define has_it(c) (is_up(c) && (at[c] == ANSWERED || at[c] == HOLDING) && owner_of(id_now(c)) == lock[lock_of(c)].owner)
#define is_had(l) (has_it((l) * NODES) || has_it((l) * NODES + 1) || has_it((l) * NODES + NODES - 1))
#define is_being_claimed(l) (lock[l].claim != NOBODY && is_waiting_as(l, lock[l].claim) && !deaf[contender_of(l, lock[l].claim)])
#define may_expire(l) (may_fail || !(is_had(l) || is_being_claimed(l)))
#define may_count_as_dead(l, id) (!is_waiting_as(l, id))
#else
#define has_renewed(c) false
#define note_renewal(c) skip
#define may_expire(l) true
#define may_count_as_dead(l, id) true
#endif

/* Acquirer, WaitingRoom, LeaseKeeper and the watchdog, for one lock of one node. */
proctype Contender(byte me) {
end:
    do
    /* Begins: waits in the queue, or tries once. */
    :: atomic { at[me] == IDLE && is_up(me) && may_begin(me) && !is_mentioned(lock_of(me), id_now(me)) ->
        at[me] = ASKING;
        if
        :: waits[me] = true
#ifndef ONCE
        :: skip
#endif
        fi }

    /* Asks. A refusal is taken in at once, for nothing can make it wrong in between; a grant is on its way back. */
    :: atomic { at[me] == ASKING && is_up(me) ->
        d_step {
            acquire(lock_of(me), id_now(me), waits[me]);
            become(ASKING)
        }
        tell(lock_of(me));
        if
        :: answer -> answer = false; at[me] = ANSWERED; current[me] = true
        :: answer && may_fail -> answer = false   /* The reply is lost: it asks again by the same request. */
        :: !answer && !waits[me] -> become_idle()
#ifdef LIVE
        :: !answer && waits[me] -> at[me] = SLEEPING
#else
        :: !answer && waits[me] -> skip           /* How long it sleeps does not matter here. */
#endif
        :: !answer && may_fail -> skip
        fi }
    /* The request is late. A try that failed so may go on as a wait by the same request. */
    :: atomic { at[me] == ASKING && is_up(me) && may_fail && late == NONE ->
        leave_late(ACQUIRE, waits[me]);
        if
        :: skip
        :: waits[me] = true
        fi }
    :: atomic { at[me] == ASKING && is_up(me) && may_fail && !waits[me] -> waits[me] = true }
    /* Gives up, and undoes what it may have been granted. */
    :: atomic { (at[me] == ASKING || at[me] == SLEEPING || at[me] == ANSWERED) && is_up(me) -> waits[me] = false; become(ENDING) }

#ifdef LIVE
    /* Heard something, or the time is up that the holder's lease was said to last. */
    :: atomic { at[me] == SLEEPING && is_up(me) && is_woken(me) -> at[me] = ASKING }
#endif

    /* The grant arrives, in time. */
#ifdef LATE_REPLY_REVIVES
    :: atomic { at[me] == ANSWERED && is_up(me) -> overslept[me] = false; waits[me] = false; at[me] = HOLDING }
#else
    :: atomic { at[me] == ANSWERED && is_up(me) && !overslept[me] -> waits[me] = false; at[me] = HOLDING }
#endif
    /* Too late for its deadline, or lost: asks again by the same request. */
    :: atomic { at[me] == ANSWERED && is_up(me) && (overslept[me] || may_fail) -> become(ASKING) }

    /* Renews. Whatever the time, a holder that overslept is told before it does anything else. */
    :: atomic { at[me] == HOLDING && is_up(me) && !overslept[me] && !has_renewed(me) ->
        d_step { renew(lock_of(me), id_now(me), current[me]); note_renewal(me) }
        if
        :: answer
        :: !answer -> told_it_is_lost()
        :: !answer && may_fail
        fi;
        answer = false }
    :: atomic { at[me] == HOLDING && is_up(me) && !overslept[me] && may_fail && late == NONE -> leave_late(RENEW, current[me]) }
    /* Releases, or its deadline passes; who lost it releases all the same, or is never heard of again. */
    :: atomic { at[me] == HOLDING && is_up(me) -> told_it_is_lost() }

    /* Releases or undoes, until there is a reply or it gives up. */
    :: atomic { at[me] == ENDING && is_up(me) ->
        d_step { release(lock_of(me), id_now(me), false) }
        tell(lock_of(me));
        if
        :: become_idle()
        :: may_fail
        fi }
#ifdef AT_LEAST
    :: atomic { at[me] == ENDING && is_up(me) ->
        d_step { release(lock_of(me), id_now(me), true) }
        tell(lock_of(me));
        if
        :: become_idle()
        :: may_fail
        fi }
#endif
    :: atomic { at[me] == ENDING && is_up(me) && may_fail && late == NONE ->
        leave_late(RELEASE, false);
        if
        :: become_idle()
        :: skip
        fi }
    :: atomic { at[me] == ENDING && is_up(me) && may_fail -> become_idle() }

#ifdef LIVE
    /* Dies, with all that it has of either lock. */
    :: atomic { is_up(me) && crashes < CRASHES -> crashes++; crashed[me % NODES] = true }
#endif
    od
}

/* The end of a waiter's life in the store, and later its end in the queue. */
#ifdef NO_LIVENESS_CHECK
#define lapse(l, id) false -> skip
#define clear_away(l, id) false -> skip
#else
#define lapse(l, id) atomic { (lock[l].alive & bit_of(id)) && may_count_as_dead(l, id) -> lock[l].alive = lock[l].alive & ~bit_of(id) }
#define clear_away(l, id) atomic { !(lock[l].alive & bit_of(id)) && is_queued(l, id) && may_count_as_dead(l, id) -> d_step { leave_queue(l, id) } }
#endif

#ifdef DATA_LOSS
inline rob(l) {
    j = (l) * NODES;
    do
    :: j < ((l) + 1) * NODES ->
        if
        :: (at[j] == HOLDING || at[j] == ANSWERED) && owner_of(id_now(j)) == lock[l].owner -> robbed[j] = true
        :: else
        fi;
        j++
    :: else -> break
    od;
    j = 0
}

inline forget_queue(l) {
    i = 0;
    do
    :: i < IDS -> lock[l].queue[i] = NOBODY; i++
    :: else -> break
    od;
    lock[l].waiters = 0;
    lock[l].alive = 0
}
#endif

/* The server's clock, as the keys of one lock know it. */
proctype Clock(byte l) {
end:
    do
    :: atomic { lock[l].owner != NOBODY && may_expire(l) -> d_step { expire(l) } }
    :: lapse(l, 0)
    :: lapse(l, 1)
    :: lapse(l, 2)
    :: lapse(l, 3)
    :: clear_away(l, 0)
    :: clear_away(l, 1)
    :: clear_away(l, 2)
    :: clear_away(l, 3)
#if NODES > 2
    :: lapse(l, 4)
    :: lapse(l, 5)
    :: clear_away(l, 4)
    :: clear_away(l, 5)
#endif
#ifdef DATA_LOSS
    /* The clock goes on; it steps back. After a loss of the last token it has gone on. */
    :: atomic { !lock[l].ahead -> lock[l].ahead = true }
    :: atomic { lock[l].ahead && lock[l].known -> lock[l].ahead = false }
    /* FLUSHALL, a restart with nothing on the disk, the end of the day for which a token is remembered. */
    :: atomic { lock[l].known -> d_step { lock[l].known = false; lock[l].ahead = true; rob(l); delete_lock(l); granted_to[l] = NOBODY; forget_queue(l) } }
    :: atomic { lock[l].known -> d_step { lock[l].known = false; lock[l].ahead = true } }
    /* An eviction, a DEL by hand. */
    :: atomic { lock[l].owner != NOBODY -> d_step { rob(l); delete_lock(l); granted_to[l] = NOBODY } }
    :: atomic { lock[l].waiters > 0 -> d_step { forget_queue(l) } }
    /* revoke.lua */
    :: atomic { lock[l].owner != NOBODY -> d_step { rob(l); pass_on(l); verify(l) } }
#endif
    od
}

/* A command that nobody waits for any more arrives, or never does. */
proctype Network() {
end:
    do
    :: atomic { late == ACQUIRE ->
        d_step { acquire(lock_of(late_by), late_id, late_flag); answer = false }
        tell(lock_of(late_by));
        forget_late() }
    :: atomic { late == RENEW -> d_step { renew(lock_of(late_by), late_id, late_flag); answer = false } forget_late() }
    :: atomic { late == RELEASE ->
        d_step { release(lock_of(late_by), late_id, false) }
        tell(lock_of(late_by));
        forget_late() }
    :: atomic { late != NONE -> forget_late() }
    od
}

#ifdef LIVE
proctype Calm() {
    stable = true
}

#define is_unserved (is_up(0) && waits[0] && (at[0] == ASKING || at[0] == SLEEPING || at[0] == ANSWERED))
#ifdef PROGRESS
ltl served { [] (is_unserved -> <> !is_unserved) }
#endif
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
#ifdef LIVE
        run Calm();
#endif
    }
}
