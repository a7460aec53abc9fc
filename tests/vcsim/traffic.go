// Task changes that happen by themselves: a few tasks at a time, each change one step of one of them.
package main

import (
	"math/rand"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// traffic makes a number of changes a second for ever.
func traffic(rate float64) {
	if rate <= 0 {
		return
	}
	machines := entities("VirtualMachine")
	at := int(rate) // tasks at a time
	if at < 3 {
		at = 3
	}
	var running []*task
	begun := time.Now()
	for done := 0; ; done++ {
		if early := time.Duration(float64(done)/rate*float64(time.Second)) - time.Since(begun); early > 0 {
			time.Sleep(early)
		}
		if len(running) < at && (len(running) < 2 || rand.Intn(4) == 0) {
			running = append(running, newTraffic(machines))
			continue
		}
		i := rand.Intn(len(running))
		if !advance(running[i]) {
			running = append(running[:i], running[i+1:]...)
		}
	}
}

func newTraffic(machines []ref) *task {
	op := operations[rand.Intn(6)]
	info := types.TaskInfo{DescriptionId: op.id, Name: op.method, Cancelable: true, Reason: &types.TaskReasonUser{UserName: displayUser(opt.user)}}
	if len(machines) > 0 {
		machine := machines[rand.Intn(len(machines))]
		info.Entity, info.EntityName = &machine, nameOf(machine)
	}
	return tasks.add(info, make(chan struct{}), handleOf)
}

// advance takes a task one step further and says whether it goes on.
func advance(t *task) bool {
	tasks.mu.Lock()
	state, percent := t.info.State, int(t.info.Progress)
	tasks.mu.Unlock()
	select {
	case <-t.canceled:
		cancelled(t)
		return false
	default:
	}
	switch {
	case state == types.TaskInfoStateQueued:
		begin(t)
	case percent < 80:
		progress(t, percent+20)
	case rand.Intn(6) == 0:
		tasks.finish(t, types.TaskInfoStateError, faultFor(pastFaults[rand.Intn(7)], ""), nil)
		return false
	default:
		tasks.finish(t, types.TaskInfoStateSuccess, nil, nil)
		return false
	}
	return true
}
