/*
 * Is the holder told first? One lock, two nodes, a clock. The store counts the lease from when it applies a request, the holder from before
 * it sent it, less the safety margin. Requests and replies take any time; any command may be lost, or applied after its caller gave it up;
 * any node may be stopped for any time. A node that runs looks at its deadline before the margin is over.
 *
 * SUSPENSION: its machine may be suspended, too. Then the node's clock stands still, and its deadline with it; another clock, which it compares
 * when it wakes, goes on. From then on it relies on its lease only when a renewal is confirmed that it sent after that.
 *
 * Broken twins: DEADLINE_FROM_REPLY, LATE_REPLY_REVIVES, NO_MARGIN, and of SUSPENSION: NO_SECOND_CLOCK, REPLY_FROM_BEFORE, GRANT_FROM_BEFORE.
 */
#ifndef LEASE
#define LEASE 3
#endif
#ifdef NO_MARGIN
#define MARGIN 0
#else
#define MARGIN 1
#endif
#define NOBODY 2

/* The store. */
byte owner = NOBODY;
byte lasts;                     /* how much longer */

/* Each node. */
#define IDLE 0
#define HOLDING 1
byte at[2];
byte remaining[2];              /* until its deadline */
bool stopped[2];
bool wakes[2];                  /* runs again, and has to look at its deadline before anything else */

bool suspended[2];              /* its clock stands still, or did and it has not looked yet */
bool doubtful[2];               /* relies on its lease no more, until that is renewed */
bool outdated[2];               /* its command was sent before a suspension */

/* Its command: waiting to be applied, then its reply on the way back; and how long ago it was sent. */
#define NONE 0
#define ACQUIRE 1
#define RENEW 2
#define GRANTED 3
#define RENEWED 4
#define REFUSED 5
byte call[2];
byte age[2];

/* A command that its caller gave up: it is applied at any time later, or never. */
byte late[2];

hidden byte G2_told_first;

/* What matters of acquire.lua, renew.lua and release.lua. The first of each other is refused; nobody else's time is ever shortened. */
inline acquire(n) {
    if
    :: owner == NOBODY || owner == n -> owner = n; lasts = LEASE
    :: else
    fi
}

inline renew(n) {
    if
    :: owner == n -> lasts = LEASE
    :: else
    fi
}

inline note_deadline(n) {
#ifdef DEADLINE_FROM_REPLY
    remaining[n] = LEASE - MARGIN
#else
    if
    :: LEASE - MARGIN > age[n] && LEASE - MARGIN - age[n] > remaining[n] -> remaining[n] = LEASE - MARGIN - age[n]
    :: else
    fi
#endif
}

inline forget_call(n) {
    call[n] = NONE;
    age[n] = 0;
    outdated[n] = false
}

inline let_go(n) {
    at[n] = IDLE;
    remaining[n] = 0;
    doubtful[n] = false
}

/* The other clock says whether its own stood still. */
inline look(n) {
#ifndef NO_SECOND_CLOCK
    if
    :: suspended[n] -> doubtful[n] = (at[n] == HOLDING); outdated[n] = (call[n] != NONE)
    :: else
    fi;
#endif
    suspended[n] = false
}

#ifdef REPLY_FROM_BEFORE
#define renews(n) true
#else
#define renews(n) (!outdated[n])
#endif
#ifdef GRANT_FROM_BEFORE
#define grants(n) true
#else
#define grants(n) (!outdated[n])
#endif

#define runs(n) (!stopped[n] && !wakes[n])

proctype Node(byte me) {
end:
    do
    :: atomic { runs(me) && at[me] == IDLE && call[me] == NONE -> call[me] = ACQUIRE; age[me] = 0 }
    :: atomic { runs(me) && at[me] == HOLDING && call[me] == NONE && remaining[me] > 0 -> call[me] = RENEW; age[me] = 0 }

    /* The store applies it, whatever the node does meanwhile. */
    :: atomic { call[me] == ACQUIRE -> d_step { acquire(me); call[me] = (owner == me -> GRANTED : REFUSED) } }
    :: atomic { call[me] == RENEW -> d_step { renew(me); call[me] = (owner == me -> RENEWED : REFUSED) } }

    /* The reply counts, unless it comes too late. */
    :: atomic { runs(me) && call[me] == GRANTED ->
        if
        :: grants(me) -> note_deadline(me)
        :: else
        fi;
        if
        :: remaining[me] > 0 -> at[me] = HOLDING
        :: else
        fi;
        forget_call(me) }
#ifdef LATE_REPLY_REVIVES
    :: atomic { runs(me) && call[me] == RENEWED && at[me] == HOLDING -> remaining[me] = LEASE - MARGIN; forget_call(me) }
#else
    :: atomic { runs(me) && call[me] == RENEWED && at[me] == HOLDING && remaining[me] > 0 ->
        if
        :: renews(me) -> note_deadline(me); doubtful[me] = false
        :: else
        fi;
        forget_call(me) }
#endif
    :: atomic { runs(me) && call[me] == REFUSED -> let_go(me); forget_call(me) }

    /* It is lost, or its time is up; then it may be applied later still. */
    :: atomic { runs(me) && call[me] != NONE -> forget_call(me) }
    :: atomic { runs(me) && (call[me] == ACQUIRE || call[me] == RENEW) && late[me] == NONE -> late[me] = call[me]; forget_call(me) }

    /* Told that it lost the lock. Its call, if there is one, is left to itself. */
    :: atomic { runs(me) && at[me] == HOLDING && remaining[me] == 0 -> let_go(me); forget_call(me) }
    /* Releases: first here, then there; the command may get lost. */
    :: atomic { runs(me) && at[me] == HOLDING && call[me] == NONE ->
        let_go(me);
        if
        :: owner == me -> owner = NOBODY; lasts = 0
        :: true
        fi }

    :: atomic { runs(me) -> stopped[me] = true }
#ifdef SUSPENSION
    /* One of the two, for they are alike. */
    :: atomic { runs(me) && me == 0 -> stopped[me] = true; suspended[me] = true }
#endif
    :: atomic { stopped[me] -> stopped[me] = false; wakes[me] = true }
    :: atomic { wakes[me] ->
        wakes[me] = false;
        look(me);
        if
        :: at[me] == HOLDING && remaining[me] == 0 -> let_go(me); forget_call(me)
        :: else
        fi }
    od
}

proctype Network() {
end:
    do
    :: atomic { late[0] == ACQUIRE -> d_step { acquire(0); late[0] = NONE } }
    :: atomic { late[1] == ACQUIRE -> d_step { acquire(1); late[1] = NONE } }
    :: atomic { late[0] == RENEW -> d_step { renew(0); late[0] = NONE } }
    :: atomic { late[1] == RENEW -> d_step { renew(1); late[1] = NONE } }
    :: atomic { late[0] != NONE -> late[0] = NONE }
    :: atomic { late[1] != NONE -> late[1] = NONE }
    od
}

#define has_looked(n) (!runs(n) || at[n] != HOLDING || remaining[n] > 0)
#define next(x) ((x) > 0 -> (x) - 1 : 0)
#define next_of(n) (suspended[n] -> remaining[n] : next(remaining[n]))
#define older(n) (call[n] == NONE -> 0 : (suspended[n] -> age[n] : (age[n] < LEASE -> age[n] + 1 : LEASE)))

/* Time goes on for all at once. Nobody who runs has slept through its deadline by more than the margin. */
proctype Clock() {
end:
    do
    :: atomic { has_looked(0) && has_looked(1) ->
        d_step {
            lasts = next(lasts);
            if
            :: lasts == 0 -> owner = NOBODY
            :: else
            fi;
            remaining[0] = next_of(0);
            remaining[1] = next_of(1);
            age[0] = older(0);
            age[1] = older(1)
        } }
    od
}

/*
 * At every moment: who relies on its lease, and runs or has time left by its own clock, has it in the store for the margin longer. Who is
 * suspended does nothing, and looks at the other clock before it does.
 */
#define is_safe(n) (at[n] != HOLDING || suspended[n] || doubtful[n] || (remaining[n] > 0 -> owner == n && lasts >= remaining[n] + MARGIN : !runs(n) || (owner == n && lasts > 0)))

proctype Monitor() {
    assert((is_safe(0) && is_safe(1)) || G2_told_first)
}

init {
    atomic {
        run Node(0);
        run Node(1);
        run Network();
        run Clock();
        run Monitor()
    }
}
