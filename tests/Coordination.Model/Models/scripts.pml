/*
 * What the Lua scripts do to the keys of a lock, each of them at once. README.md in the folder above maps each statement to its script.
 *
 * Whoever includes this says how the queue is kept (leave_queue, join_queue, first_live_waiter, is_queued), and what it wants to note of
 * a grant (note_grant), of a lock that is passed on (note_handover) and of one that lapses (note_lapse).
 */
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

/* prelude.lua, grant. Every token that was told before is not the latest one any more. */
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
    note_grant(l, id);
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

/* prelude.lua, hand_over */
inline hand_over(l, w) {
    delete_lock(l);
    grant(l, w);
    lock[l].claim = w;
    note_handover(l, w)
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
    previous = false;
    before = lock[l].owner;
    had = lock[l].owner == owner_of(id) && (lock[l].entries & bit_of(id)) && !is_resting(l);
    if
    :: lock[l].owner == owner_of(id) && !is_resting(l) ->
#ifdef ENTRIES_COUNT
        lock[l].counted++;
#endif
        lock[l].entries = lock[l].entries | bit_of(id);
        lock[l].claim = NOBODY;
        leave_queue(l, id);
        reply = true
    :: else ->
        reply = false;
        if
        :: lock[l].owner == NOBODY ->
            first_live_waiter(l, owner_of(id));
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
                reply = true
#ifndef BARGING
            :: else -> hand_over(l, found)
#endif
            fi
        :: else
        fi;
        if
        :: !reply && joins -> join_queue(l, id)
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
        lock[l].claim = NOBODY;
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

/* release.lua */
inline release(l, id, rests) {
    leave_queue(l, id);
    if
#ifdef NO_OWNER_CHECK
    :: lock[l].owner == NOBODY || is_resting(l)
#else
    :: lock[l].owner != owner_of(id) || is_resting(l)
#endif
    :: else ->
        if
        :: lock[l].claim != NOBODY && lock[l].claim != id && lock[l].owner == owner_of(id)
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
            :: lock[l].entries != 0
#ifdef ENTRIES_COUNT
            :: lock[l].entries == 0 && lock[l].counted != 0
#endif
#ifdef AT_LEAST
            :: lock[l].entries == 0 && rests -> lock[l].released = true; granted_to[l] = NOBODY
            :: lock[l].entries == 0 && !rests -> pass_on(l)
#else
            :: else -> pass_on(l)
#endif
            fi
        fi
    fi;
    assert(!is_queued(l, id) || G8_clean_cancel);
    /* Who took its last entry out has nothing left there, unless the lock was passed to it once more. */
    assert(lock[l].owner != owner_of(id) || lock[l].entries != 0 || lock[l].claim != NOBODY || is_resting(l) || G6_repeating_changes_nothing);
    verify(l)
}

#define relies_on(c, l) ((at[c] == HOLDING || at[c] == REPLIED) && owner_of(id_now(c)) == lock[l].owner)

/* The time of the key is up. Who relies on it still has stood still past its deadline, which came before. */
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
