/*
 * The claim protocol (docs/decisions/0003-claim-by-push.md) as a model for the checker spin; README.md beside this file
 * says how to run it. Agents take tasks from one hub whose head moves by compare-and-swap. Pushes may be slow, lost or
 * unheard of; any agent may be killed between any two steps; an owner may give a task back, and so may the person.
 *
 * Each of these leaves out one rule, and spin must find the harm:
 *   REPLAY    after a lost race the same change is put on the new head without looking at the task again
 *   NO_NONCE  two clones of one agent make the same commit for the same claim
 *   LOSES     the hub forgets an update that it had acknowledged
 *   LATE      (with OFFLINE) a task is claimed offline although a push of it had begun
 *   CLOCK     a task is taken from its owner because time has passed
 *   RETURNS   an owner works on again when it has not heard what became of its giving back
 * And with CUT (and LIVE) the connection fails again and again for ever, so that some task may never be owned.
 */

#ifndef AGENTS
#define AGENTS 2
#endif
#ifndef TASKS
#define TASKS 2
#endif
#ifndef CRASHES
#define CRASHES 1       /* in all */
#endif
#ifndef FAULTS
#define FAULTS 1        /* pushes lost or unheard of, in all */
#endif
#ifndef RELEASES
#define RELEASES 1      /* by owners, in all; the person takes back one more */
#endif

#define OPEN 7          /* in Needs_Action */
#define UNKNOWN 6       /* the hub has never had it */
#define DONE 5
#define NONE 4
#define isOwned(t) (owner[t] < AGENTS || owner[t] == DONE)

#ifdef NO_NONCE
#define nameOf(agent) 0
#else
#define nameOf(agent) agent
#endif

/* A push on its way is `flying` while the hub's head is still the one it was built on, `stale` from then on. */
mtype = { free, flying, stale, landed, raced, lost };
mtype = { claim, release, handIn, publish };

/* What the tree at the hub's head says of each task. */
byte owner[TASKS];
byte generation[TASKS];

/* Pushes. Two lines for each agent: an old push may still be on its way when the next one is sent, and arrive after it. */
#define LINES (2 * AGENTS)
mtype line[LINES];
mtype kind[LINES];
byte task[LINES];
byte under[LINES];              /* the generation that the change makes, or works under */
byte heard[AGENTS];             /* the line on which the agent waits for an answer, or LINES */
bool news[AGENTS];              /* the head has moved since the agent looked */

/* On the agents' disks, or to be read in the hub's history. */
byte won[AGENTS * TASKS];       /* the generation of the agent's newest claim that landed */
byte givenUp[AGENTS * TASKS];   /* the generation that the agent has begun to give back: it does not work on it again */
bool pushBegun;                 /* of task 0, which is born at agent 0 */
bool isOffline;                 /* task 0 was claimed before the hub knew it */

/* What must hold is said of these: who is at work, and who was told of which generation. */
byte worker[TASKS];
byte told[TASKS];
byte toldUnder[TASKS];
bool takenBack[TASKS];          /* by the person, who does not ask the worker */

byte crashes, faults, releases;

#ifdef CUT
#define mayFail true
#define fail skip
#else
#define mayFail (faults < FAULTS)
#define fail faults++
#endif

/* An answer may come so late that the task was given on meanwhile: such a worker is no owner, and its work is fenced. */
inline begin(t, g) {
  assert(toldUnder[t] != g || told[t] == me);
  if
  :: generation[t] == g || owner[t] == UNKNOWN ->
       assert(worker[t] == NONE || worker[t] == me || takenBack[t]);
       worker[t] = me; told[t] = me; toldUnder[t] = g; takenBack[t] = false
  :: else
  fi
}

#define isMine(t) (owner[t] == nameOf(me) && won[me * TASKS + t] == generation[t])
#ifdef RETURNS
#define isGivenUp(t) false
#else
#define isGivenUp(t) (givenUp[me * TASKS + t] == generation[t])
#endif

/* Fetch and settle: a claim in the history is the agent's own; what the hub shows otherwise is not, or not any more. */
inline look() {
  news[me] = false;
  for (i : 0 .. TASKS - 1) {
    if
    :: isMine(i) && !isGivenUp(i) -> if :: worker[i] != me -> begin(i, generation[i]) :: else fi
    :: else -> if :: worker[i] == me && owner[i] != UNKNOWN -> worker[i] = NONE :: else fi
    fi
  }
  i = 0
}

inline send(what, t, g) {
  if
  :: line[2 * me] == free -> heard[me] = 2 * me
  :: else -> heard[me] = 2 * me + 1
  fi;
  kind[heard[me]] = what; task[heard[me]] = t; under[heard[me]] = g; line[heard[me]] = flying
}

inline clear(k) {
  line[k] = free; kind[k] = claim; task[k] = 0; under[k] = 0
}

/* An answer that nobody waits for any more. */
inline hangUp() {
  if
  :: heard[me] < LINES && line[heard[me]] != flying && line[heard[me]] != stale -> clear(heard[me])
  :: else
  fi;
  heard[me] = LINES
}

inline die() {
  crashes++;
  for (i : 0 .. TASKS - 1) { if :: worker[i] == me -> worker[i] = NONE :: else fi }
  i = 0;
  hangUp()
}

proctype agent(byte me) {
  byte i;

looking:
  /* Between the look and the sending nothing is seen from outside: one step, and the push arrives whenever it does. */
  atomic {
    (line[2 * me] == free || line[2 * me + 1] == free);
    look();
    if
    :: owner[0] == OPEN -> send(claim, 0, generation[0] + 1)
    :: worker[0] == me && isMine(0) -> send(handIn, 0, generation[0])
    :: worker[0] == me && isMine(0) && releases < RELEASES ->
         /* It stops before it says so. */
         releases++; givenUp[me * TASKS] = generation[0]; worker[0] = NONE; send(release, 0, generation[0] + 1)
    :: isMine(0) && isGivenUp(0) -> send(release, 0, generation[0] + 1)
#if TASKS > 1
    :: owner[1] == OPEN -> send(claim, 1, generation[1] + 1)
    :: worker[1] == me && isMine(1) -> send(handIn, 1, generation[1])
#endif
#ifdef CLOCK
    :: owner[0] < AGENTS && owner[0] != me -> send(claim, 0, generation[0] + 1)
#endif
#ifdef OFFLINE
#ifdef LATE
    :: me == 0 && owner[0] == UNKNOWN && !isOffline ->
#else
    :: me == 0 && owner[0] == UNKNOWN && !isOffline && !pushBegun ->
#endif
         isOffline = true; won[0] = 1; begin(0, 1); goto looking
    :: me == 0 && owner[0] == UNKNOWN ->
         pushBegun = true;       /* on disk before the push begins */
         send(publish, 0, isOffline)
#endif
    :: else -> goto endIdle
    fi
  }
waiting:
  do
  :: atomic { line[heard[me]] == landed ->
       if
       :: kind[heard[me]] == claim -> begin(task[heard[me]], under[heard[me]])
       :: kind[heard[me]] == handIn && worker[task[heard[me]]] == me -> worker[task[heard[me]]] = NONE
       :: else
       fi;
       hangUp(); break }
#ifdef REPLAY
  :: atomic { line[heard[me]] == raced -> line[heard[me]] = flying }
#else
  :: atomic { line[heard[me]] == raced -> hangUp(); break }
#endif
  :: atomic { line[heard[me]] == lost -> hangUp(); break }
  :: atomic { (line[heard[me]] == flying || line[heard[me]] == stale) && mayFail -> fail; hangUp(); break }
  :: atomic { crashes < CRASHES -> die(); break }
  od;
  goto looking;
endIdle:
  if
  :: news[me]
  :: atomic { crashes < CRASHES -> die() }
  fi;
  goto looking
}

#ifdef LOSES
byte taskBefore, ownerBefore, generationBefore;
bool canLose;
#endif

/* The head moves: whatever else is on its way was built on another. */
inline move() {
  for (i : 0 .. LINES - 1) { if :: line[i] == flying -> line[i] = stale :: else fi }
  for (i : 0 .. AGENTS - 1) { news[i] = true }
  i = 0
}

inline land(k) {
#ifdef LOSES
  taskBefore = task[k]; ownerBefore = owner[task[k]]; generationBefore = generation[task[k]]; canLose = true;
#endif
#ifdef NO_NONCE
  /* Two clones of one agent: the other's commit for the same claim is the same object, which it finds in the history. */
  for (i : 0 .. LINES - 1) {
    if
    :: line[i] == flying && kind[i] == claim && kind[k] == claim && task[i] == task[k] -> won[(i / 2) * TASKS + task[k]] = under[k]
    :: else
    fi
  }
#endif
  if
  :: kind[k] == claim -> owner[task[k]] = nameOf(k / 2); won[(k / 2) * TASKS + task[k]] = under[k]
  :: kind[k] == release -> owner[task[k]] = OPEN
  :: kind[k] == handIn ->
       /* Fenced: only the owner's counts, under the generation of its claim. */
       assert(owner[task[k]] == nameOf(k / 2) && generation[task[k]] == under[k]);
       owner[task[k]] = DONE
  :: kind[k] == publish -> if :: under[k] == 0 -> owner[0] = OPEN :: else -> owner[0] = 0 fi
  fi;
  generation[task[k]] = under[k];
  line[k] = free;
  move()
}

inline answer(k, what) {
  if
  :: heard[k / 2] == k -> line[k] = what
  :: else -> clear(k)
  fi
}

#define arrive(k) \
  :: d_step { line[k] == flying -> land(k); answer(k, landed) } \
  :: d_step { line[k] == stale -> answer(k, raced) } \
  :: d_step { (line[k] == flying || line[k] == stale) && mayFail -> fail; answer(k, lost) }

active proctype hub() {
  byte i;
end:
  do
  arrive(0)
  arrive(1)
  arrive(2)
  arrive(3)
#if AGENTS > 2
  arrive(4)
  arrive(5)
#endif
  od
}

/* Takes one task back, whoever has it, through the sync of its own zone: a compare-and-swap as any other. */
active proctype person() {
  byte i;
end:
  d_step { owner[0] < AGENTS -> owner[0] = OPEN; generation[0]++; takenBack[0] = true; move() }
}

#ifdef LOSES
active proctype powerCut() {
  byte i;
end:
  d_step { canLose -> owner[taskBefore] = ownerBefore; generation[taskBefore] = generationBefore; move() }
}
#endif

init {
  byte n;
  atomic {
    for (n : 0 .. LINES - 1) { line[n] = free; kind[n] = claim }
    for (n : 0 .. TASKS - 1) { owner[n] = OPEN; worker[n] = NONE; told[n] = NONE }
#ifdef OFFLINE
    owner[0] = UNKNOWN;
#endif
    for (n : 0 .. AGENTS - 1) { heard[n] = LINES; givenUp[n * TASKS] = 100; run agent(n) }
    n = 0
  }
}

#ifdef LIVE
#if TASKS > 1
ltl everyTaskIsOwned { <> [] (isOwned(0) && isOwned(1)) }
#else
ltl everyTaskIsOwned { <> [] isOwned(0) }
#endif
#endif
