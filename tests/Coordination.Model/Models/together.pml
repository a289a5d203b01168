/*
 * Several locks together, all or none: is there ever a circle of nodes that wait for each other, and does a node ever keep a part? Two locks, three nodes, each of which wants
 * both, again and again. First one step for both; then one after the other, in the order of the locks, holding the first meanwhile. A lock is here what the other models show
 * that it is: one holder, a queue in order of arrival, passed on to the first live waiter. A node may give up or die at any step; a lock may be lost under its holder, which is
 * told, releases what it has and begins again.
 *
 * Broken twins: ANY_ORDER (each node takes the locks in the order that it likes), KEEPS_PART (the one step grants what is free), KEEPS_FIRST (who gives up
 * keeps the first).
 */
#define NODES 3
#define NOBODY NODES

byte holder[2] = NOBODY;
typedef Queue { byte who[NODES]; byte count }
Queue queue[2];
bool dead[NODES];
bool lost[NODES];               /* what it held, before it had both or while it had */
byte waits_for[NODES] = 2;      /* for which lock; 2 for none */

hidden byte G1_all_or_none, G4_no_circle, G8_nothing_left, G9_fair;

inline leave(l, n) {
    d_step {
        i = 0; j = 0;
        do
        :: i < queue[l].count ->
            if
            :: queue[l].who[i] != n -> queue[l].who[j] = queue[l].who[i]; j++
            :: else
            fi;
            i++
        :: else -> break
        od;
        queue[l].count = j;
        do
        :: j < NODES -> queue[l].who[j] = 0; j++
        :: else -> break
        od;
        i = 0; j = 0
    }
}

/* To the first live waiter; who died is skipped, and leaves. */
inline pass_on(l) {
    holder[l] = NOBODY;
    do
    :: holder[l] == NOBODY && queue[l].count > 0 ->
        k = queue[l].who[0];
        leave(l, k);
        if
        :: !dead[k] -> holder[l] = k
        :: else
        fi
    :: else -> break
    od;
    k = 0
}

inline release(l, n) {
    leave(l, n);
    if
    :: holder[l] == n -> pass_on(l)
    :: else
    fi
}

/* The locks of one script: all, or none. */
inline try_both(n) {
    if
    :: holder[0] == NOBODY && holder[1] == NOBODY && queue[0].count == 0 && queue[1].count == 0 -> holder[0] = n; holder[1] = n
#ifdef KEEPS_PART
    :: holder[0] == NOBODY && holder[1] != NOBODY -> holder[0] = n
    :: holder[1] == NOBODY && holder[0] != NOBODY -> holder[1] = n
#endif
    :: else
    fi
}

inline acquire(l, n) {
    if
    :: holder[l] == NOBODY && queue[l].count == 0 -> holder[l] = n
    :: else -> queue[l].who[queue[l].count] = n; queue[l].count++; waits_for[n] = l
    fi
}

/* Two of them suffice for two locks. */
#define CIRCLE(a, b) (!dead[a] && !dead[b] && waits_for[a] < 2 && waits_for[b] < 2 && waits_for[a] != waits_for[b] && \
    holder[waits_for[a]] == b && holder[waits_for[b]] == a)

inline claim_no_circle() {
    assert(!CIRCLE(0, 1) && !CIRCLE(0, 2) && !CIRCLE(1, 2) && G4_no_circle == 0)
}

proctype Node(byte n) {
    byte first, second, i, j, k;
idle:
    atomic {
        assert(holder[0] != n && holder[1] != n && G8_nothing_left == 0);
        lost[n] = false;
        try_both(n);
        if
        :: holder[0] == n && holder[1] == n -> goto all
        :: else
        fi;
#ifdef KEEPS_PART
        goto idle;
#endif
        first = 0; second = 1
    };
#ifdef ANY_ORDER
    atomic {
        if
        :: first = 0; second = 1
        :: first = 1; second = 0
        fi
    };
#endif
    atomic { acquire(first, n); claim_no_circle() };
    if
    :: atomic { holder[first] == n -> waits_for[n] = 2 }
    :: goto gives_up
    :: goto dies
    fi;
    atomic { acquire(second, n); claim_no_circle() };
    if
    :: atomic { holder[second] == n && !lost[n] -> waits_for[n] = 2 }
    :: atomic { lost[n] -> goto gives_up }
    :: goto gives_up
    :: goto dies
    fi;
all:
    atomic {
        assert(lost[n] || (holder[0] == n && holder[1] == n && G1_all_or_none == 0))
    };
    if
    :: true
    :: goto dies
    fi;
gives_up:
    atomic { waits_for[n] = 2; release(1, n) };
#ifdef KEEPS_FIRST
    atomic { leave(0, n) };
#else
    atomic { release(0, n) };
#endif
    goto idle;
dies:
    atomic { dead[n] = true; waits_for[n] = 2; first = 0; second = 0 }
}

/* The store: leases of the dead run out, and a lock may be lost under a live holder, who is told. */
active proctype Store() {
    byte i, j, k, l;
end:
    do
    :: atomic { holder[0] != NOBODY && dead[holder[0] % NODES] -> pass_on(0) }
    :: atomic { holder[1] != NOBODY && dead[holder[1] % NODES] -> pass_on(1) }
    :: atomic { holder[0] != NOBODY -> lost[holder[0]] = true; pass_on(0) }
    :: atomic { holder[1] != NOBODY -> lost[holder[1]] = true; pass_on(1) }
    :: atomic { holder[0] == NOBODY && queue[0].count > 0 -> assert(false && G9_fair == 0) }
    od
}

init {
    atomic { run Node(0); run Node(1); run Node(2) }
}
