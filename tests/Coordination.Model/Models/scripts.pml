/*
 * What the Lua scripts do to the record of a lock, each of them at once. README.md in the folder above maps each statement to its script.
 *
 * Whoever includes this says how the queue is kept (leave_queue, join_queue, first_live_waiter, is_queued), and what it wants to note of
 * a grant (note_grant), of a lock that is passed on (note_handover) and of one that lapses (note_lapse).
 * With QUEUE_FLAG the record says whether to look at the queue (is_queue_empty); without, a script may see it empty at any time.
 */
#ifdef QUEUE_FLAG
#define raise_flag(l) lock[l].flag = true
#ifdef FLAG_CLEARED
#define find_flag(l) lock[l].flag = false
#else
#define find_flag(l) lock[l].flag = !is_queue_empty(l)
#endif
#define is_flagged(l) lock[l].flag
#else
#define raise_flag(l) skip
#define find_flag(l) skip
#define is_flagged(l) true
#endif

inline delete_lock(l) {
    lock[l].owner = NOBODY;
    lock[l].handed = NOBODY;
    lock[l].entries = 0;
#ifdef AT_LEAST
    lock[l].released = false;
#endif
#ifdef ENTRIES_COUNT
    lock[l].counted = 0;
#endif
}

/* prelude.lua, grant. Every token that was told before is not the latest one any more. */
inline grant(l, id) {
    assert(granted_to[l] == NOBODY || G1_one_owner);
#ifdef DATA_LOSS
#ifdef TOKEN_OF_TIME_ALONE
    assert(lock[l].ahead || G3_tokens_grow);
#else
    assert(lock[l].known || lock[l].ahead || G3_tokens_grow);
#endif
    lock[l].known = true;
    lock[l].ahead = false;
#endif
    note_grant(l, id);
    lock[l].owner = owner_of(id);
    granted_to[l] = owner_of(id);
    i = 0;
    do
    :: i < NODES -> current[(l) * NODES + i] = false; i++
    :: else -> break
    od;
    if
    :: (late == RENEW || late == CLAIM) && lock_of(late_by) == (l) -> late_flag = false
    :: else
    fi
}

/* prelude.lua, hand_over */
inline hand_over(l, w) {
    delete_lock(l);
    grant(l, w);
    lock[l].entries = bit_of(w);
    lock[l].handed = w;
    raise_flag(l);
    told[(l) * IDS + (w)] = FRESH;
    note_handover(l, w)
}

/* release.lua: a waiter of the same node has it by the reply, and needs no claim. */
inline hand_over_by_reply(l, w) {
    delete_lock(l);
    grant(l, w);
    lock[l].entries = bit_of(w);
    leave_queue(l, w);
    find_flag(l);
    told[(l) * IDS + (w)] = FRESH;
    note_handover_by_reply(l, w)
}

/* prelude.lua, pass_on */
inline pass_on(l) {
    granted_to[l] = NOBODY;
    found = NOBODY;
    if
    :: is_flagged(l) -> first_live_waiter(l, NOBODY)
    :: else
    fi;
#ifdef NAMES
    if
    :: is_flagged(l) && successor != NOBODY && is_queued(l, successor) && is_alive(l, successor) -> found = successor
    :: else
    fi;
#endif
    if
    :: found != NOBODY && by_reply -> hand_over_by_reply(l, found)
    :: found != NOBODY && !by_reply -> hand_over(l, found)
    :: else -> delete_lock(l); find_flag(l)
    fi
}

/* What must be so after each script: who owns the lock was granted it, and who relies on a lease has it. */
inline verify(l) {
    assert(lock[l].owner == granted_to[l] || is_resting(l) || G1_one_owner);
    j = (l) * NODES;
    do
    :: j < ((l) + 1) * NODES ->
        if
#ifdef DATA_LOSS
        :: at[j] == HOLDING && !overslept[j] && !robbed[j] ->
#else
        :: at[j] == HOLDING && !overslept[j] ->
#endif
            assert((lock[l].owner == owner_of(id_now(j)) && (lock[l].entries & bit_of(id_now(j))) && !is_resting(l)) || G2_told_first)
        :: else
        fi;
        j++
    :: else -> break
    od
}

/* acquire.lua */
inline acquire(l, id, joins) {
    before = lock[l].owner;
    had = lock[l].owner == owner_of(id) && (lock[l].entries & bit_of(id)) && !is_resting(l);
    if
    :: lock[l].owner == owner_of(id) && !is_resting(l) ->
#ifdef ENTRIES_COUNT
        lock[l].counted++;
#endif
#ifdef ENTRY_REPLACES
        lock[l].entries = (lock[l].handed != NOBODY -> 0 : lock[l].entries);
#endif
        lock[l].entries = lock[l].entries | bit_of(id);
        lock[l].handed = NOBODY;
        leave_queue(l, id);
        find_flag(l);
        reply = true
    :: else ->
        reply = false;
        if
        :: lock[l].owner == NOBODY ->
            found = NOBODY;
            if
            :: is_flagged(l) -> first_live_waiter(l, owner_of(id))
            :: else
            fi;
            if
#ifdef BARGING
            :: true ->
#else
            :: found == NOBODY || owner_of(found) == owner_of(id) ->
#endif
                grant(l, id);
                lock[l].entries = bit_of(id);
#ifdef ENTRIES_COUNT
                lock[l].counted = 1;
#endif
                leave_queue(l, id);
                find_flag(l);
                reply = true
#ifndef BARGING
            :: else -> hand_over(l, found)
#endif
            fi
        :: else
        fi;
        if
        :: !reply && joins -> join_queue(l, id); raise_flag(l)
        :: else
        fi
    fi;
    assert(!had || (reply && lock[l].owner == before) || G6_repeating_changes_nothing);
    verify(l)
}

/* renew.lua */
inline renew(l, id, has_token) {
    if
    :: lock[l].owner == owner_of(id) && !is_resting(l) && has_token ->
        lock[l].handed = NOBODY;
        reply = true
#ifdef RENEWAL_RECREATES
    :: lock[l].owner == NOBODY ->
        lock[l].owner = owner_of(id);
        lock[l].entries = bit_of(id);
        reply = true
#endif
    :: else -> reply = false
    fi;
    verify(l)
}

/* claim.lua */
inline claim(l, id, has_token) {
    before = lock[l].owner;
#ifdef CLAIM_ACQUIRES
    acquire(l, id, false);
#else
    if
    :: lock[l].owner == owner_of(id) && !is_resting(l) && has_token ->
        lock[l].handed = NOBODY;
        leave_queue(l, id);
        find_flag(l);
        reply = true
    :: else -> reply = false
    fi;
#endif
    assert(lock[l].owner == before || G8_clean_cancel);
    verify(l)
}

/* release.lua */
inline release(l, id, rests) {
    leave_queue(l, id);
    reply = false;
    if
#ifdef NO_OWNER_CHECK
    :: lock[l].owner == NOBODY || is_resting(l)
#else
    :: lock[l].owner != owner_of(id) || is_resting(l)
#endif
    :: else ->
        assert(lock[l].owner == owner_of(id) || G5_own_release_only);
        reply = true;
        /* Also of a lock that was handed over to another entry of the owner, and is not claimed: that one's. */
#ifdef NO_OWNER_CHECK
        lock[l].entries = 0;
#else
        lock[l].entries = lock[l].entries & ~bit_of(id);
#endif
#ifdef ENTRIES_COUNT
        lock[l].counted = (lock[l].counted > 0 -> lock[l].counted - 1 : 0);
#endif
        if
        :: lock[l].entries != 0
#ifdef ENTRIES_COUNT
        :: lock[l].entries == 0 && lock[l].counted != 0
#endif
#ifdef AT_LEAST
        :: lock[l].entries == 0 && rests -> lock[l].handed = NOBODY; lock[l].released = true; granted_to[l] = NOBODY
        :: lock[l].entries == 0 && !rests -> pass_on(l)
#else
        :: else -> pass_on(l)
#endif
        fi
    fi;
    assert(!is_queued(l, id) || G8_clean_cancel);
    /* Who took its last entry out has nothing left there, unless the lock was passed to it once more. */
    assert(lock[l].owner != owner_of(id) || lock[l].entries != 0 || is_resting(l) || G6_repeating_changes_nothing);
    verify(l)
}

#define relies_on(c, l) ((at[c] == HOLDING || at[c] == REPLIED) && owner_of(id_now(c)) == lock[l].owner)

/* What becomes of the messages to whoever owns it. */
inline forget_told(l, what) {
    j = 0;
    do
    :: j < IDS ->
        if
        :: told[(l) * IDS + j] == FRESH && owner_of(j) == lock[l].owner -> told[(l) * IDS + j] = what
        :: else
        fi;
        j++
    :: else -> break
    od
}

/* The lease is over. Who relies on it still has stood still past its deadline, which came before; and that of a handover that was not heard has passed. */
inline expire(l) {
    note_lapse(l);
    j = (l) * NODES;
    do
    :: j < ((l) + 1) * NODES ->
        if
        :: relies_on(j, l) -> overslept[j] = true
        :: else
        fi;
        j++
    :: else -> break
    od;
#ifndef OLDER_HANDOVER
    forget_told(l, 0);
#endif
    note_over(l);
    delete_lock(l);
    granted_to[l] = NOBODY
}

#ifdef DATA_LOSS
/* It is lost for whoever relies on it, by nobody's fault. */
inline rob(l) {
    j = (l) * NODES;
    do
    :: j < ((l) + 1) * NODES ->
        if
        :: relies_on(j, l) -> robbed[j] = true
        :: else
        fi;
        j++
    :: else -> break
    od;
    forget_told(l, ROBBED);
    granted_to[l] = NOBODY
}
#endif

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
