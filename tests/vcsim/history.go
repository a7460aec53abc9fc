// All tasks in the order of their creation: first those of a made-up past, then those that really ran here.
// A task's info is replaced as a whole with each change and never altered, so that readers need no copy.
package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

type task struct {
	index    int // place in the order of creation
	self     ref
	info     *types.TaskInfo
	above    []ref         // what the entity lay under when the task began
	canceled chan struct{} // closed when somebody asks to cancel; nil for the library's tasks
	gone     bool          // the reference resolves no longer
}

type history struct {
	mu         sync.Mutex
	past       past
	low        int     // the first one that is remembered
	live       []*task // those after the past; nil when forgotten
	byKey      map[string]*task
	fresh      []*task // those whose references resolve
	nextKey    int
	chain      int32
	collectors map[*TaskHistoryCollector]bool
	journal    *journal
}

func newHistory() *history {
	return &history{byKey: map[string]*task{}, nextKey: opt.firstID, chain: 1000, collectors: map[*TaskHistoryCollector]bool{}}
}

// now has the microseconds of a vCenter.
func now() time.Time {
	return time.Now().UTC().Truncate(time.Microsecond)
}

func finished(info *types.TaskInfo) bool {
	return info.State == types.TaskInfoStateSuccess || info.State == types.TaskInfoStateError
}

// end is the index behind the newest task.
func (h *history) end() int {
	return h.past.count + len(h.live)
}

// at reads a task by index: nil when it is forgotten. The lock is held.
func (h *history) at(index int) (*types.TaskInfo, []ref) {
	if index < h.low {
		return nil, nil
	}
	if index < h.past.count {
		return h.past.info(index)
	}
	if t := h.live[index-h.past.count]; t != nil {
		return t.info, t.above
	}
	return nil, nil
}

// add makes a queued task; key, times and chain are set here. `handle` is what the reference leads to.
func (h *history) add(info types.TaskInfo, canceled chan struct{}, handle func(*task) simulatorObject) *task {
	ancestors := above(info.Entity)
	h.mu.Lock()
	t := &task{above: ancestors, canceled: canceled}
	info.Key = fmt.Sprintf("task-%d", h.nextKey)
	h.nextKey++
	h.chain += 3
	info.Task = ref{Type: "Task", Value: info.Key}
	info.State = types.TaskInfoStateQueued
	info.QueueTime = now()
	info.EventChainId = h.chain
	if parent := h.byKey[info.ParentTaskKey]; parent != nil {
		info.RootTaskKey = first(parent.info.RootTaskKey, info.ParentTaskKey)
	}
	t.index, t.self, t.info = h.end(), info.Task, &info
	h.live = append(h.live, t)
	h.byKey[info.Key] = t
	h.fresh = append(h.fresh, t)
	h.mu.Unlock()

	simulator.Map.Put(handle(t))

	h.mu.Lock()
	h.journal.write(t.info)
	touched := h.tell(t)
	h.mu.Unlock()
	updates.touch(append(touched, t.self, taskManager)...)
	return t
}

// change gives a task new info. History collectors hear of it when its state changed, not of progress.
func (h *history) change(t *task, alter func(*types.TaskInfo)) {
	h.mu.Lock()
	old, info := t.info, *t.info
	alter(&info)
	t.info = &info
	var touched []ref
	if old.State != info.State {
		h.journal.write(&info)
		touched = h.tell(t)
	}
	h.mu.Unlock()
	updates.touch(append(touched, info.Task)...)
}

// finish ends a task unless it has ended. The lock is not held.
func (h *history) finish(t *task, state types.TaskInfoState, fault *types.LocalizedMethodFault, alter func(*types.TaskInfo)) {
	h.change(t, func(info *types.TaskInfo) {
		if finished(info) {
			return
		}
		at := now()
		if info.StartTime == nil {
			info.StartTime = &at
		}
		info.State, info.CompleteTime, info.Error = state, &at, fault
		if alter != nil {
			alter(info)
		}
	})
}

// tell lets the collectors know and names those whose latest page changed.
func (h *history) tell(t *task) []ref {
	var touched []ref
	for c := range h.collectors {
		if c.hear(t) {
			touched = append(touched, c.Self)
		}
	}
	return touched
}

// resolve finds the info behind a reference that still resolves.
func (h *history) resolve(key string) (*types.TaskInfo, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.byKey[key]
	if t == nil || t.gone {
		return nil, false
	}
	return t.info, true
}

// recent lists the unfinished tasks and the 200 newest of those that ended a short time ago.
func (h *history) recent() []ref {
	h.mu.Lock()
	defer h.mu.Unlock()
	ended := 0
	for _, t := range h.fresh {
		if finished(t.info) {
			ended++
		}
	}
	var list []ref
	for _, t := range h.fresh {
		if finished(t.info) {
			if ended--; ended >= 200 {
				continue
			}
		}
		list = append(list, t.self)
	}
	return list
}

// age makes references of old tasks resolve no longer and forgets what is older than the history may be.
func (h *history) age() {
	pause := time.Second
	if opt.recent < 10*time.Second {
		pause = 100 * time.Millisecond
	}
	for ; ; time.Sleep(pause) {
		for _, gone := range h.sweep(time.Now()) {
			simulator.Map.Remove(gone)
			updates.touch(gone, taskManager)
		}
	}
}

func (h *history) sweep(at time.Time) []ref {
	h.mu.Lock()
	defer h.mu.Unlock()
	var gone []ref
	kept := h.fresh[:0:0]
	for _, t := range h.fresh {
		if finished(t.info) && at.Sub(*t.info.CompleteTime) > opt.recent {
			t.gone = true
			gone = append(gone, t.self)
		} else {
			kept = append(kept, t)
		}
	}
	if gone != nil {
		h.fresh = kept
	}
	if opt.maxHistory > 0 {
		h.forget(at.Add(-opt.maxHistory))
	}
	return gone
}

// forget drops finished tasks that ended before a time. Deletion lags as a vCenter's does: it runs now and then.
func (h *history) forget(before time.Time) {
	for h.low < h.past.count {
		if info, _ := h.past.info(h.low); !info.CompleteTime.Before(before) {
			break
		}
		h.low++
	}
	for i, t := range h.live {
		if t == nil {
			if h.low == h.past.count+i {
				h.low++
			}
			continue
		}
		if t.info.QueueTime.After(before) {
			break
		}
		if t.gone && t.info.CompleteTime.Before(before) {
			h.live[i] = nil
			delete(h.byKey, t.self.Value)
		}
	}
}

// close stops everything that tasks do for good: the lock is kept.
func (h *history) close() {
	h.mu.Lock()
	h.journal.close()
}
