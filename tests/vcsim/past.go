// A made-up past: finished tasks of the last 30 days. Each is computed from its number alone, so that half a million
// of them need no memory and are the same after a restart.
package main

import (
	"fmt"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

const pastSpan = 30 * 24 * time.Hour

type past struct {
	count   int
	firstID int
	made    time.Time
	things  map[string][]thing // entities by type
	gaps    time.Duration      // between two tasks
	newest  time.Time          // nothing ended later
}

type thing struct {
	ref   ref
	name  string
	above []ref
}

var pastUsers = []string{`VSPHERE.LOCAL\Administrator`, `VSPHERE.LOCAL\Administrator`, `EXAMPLE\alice`, `EXAMPLE\张伟`, "backup@vsphere.local"}

var pastFaults = []string{"InvalidPowerState", "NoPermission", "TaskInProgress", "FileNotFound", "NoDiskSpace", "GenericVmConfigFault", "Timedout", "RequestCanceled"}

func newPast(count, firstID int, made time.Time) past {
	p := past{count: count, firstID: firstID, made: made, things: map[string][]thing{}}
	for _, kind := range []string{"VirtualMachine", "HostSystem", "ClusterComputeResource", "Folder"} {
		for _, entity := range entities(kind) {
			of := entity
			p.things[kind] = append(p.things[kind], thing{entity, nameOf(entity), above(&of)})
		}
	}
	machines := p.things["VirtualMachine"]
	if len(machines) > 0 { // two that no longer exist
		machines = append(machines, thing{ref{Type: "VirtualMachine", Value: "vm-9001"}, "old-server", nil},
			thing{ref{Type: "VirtualMachine", Value: "vm-9002"}, "已删除的虚拟机", nil})
		p.things["VirtualMachine"] = machines
	}
	p.newest = made.Add(-opt.recent)
	if count > 0 {
		p.gaps = (pastSpan - opt.recent - time.Hour) / time.Duration(count)
	}
	return p
}

// dice is a good hash of a number (splitmix64).
func dice(i int) uint64 {
	x := uint64(i)*0x9e3779b97f4a7c15 + 0x1234567
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (p *past) key(i int) string {
	return fmt.Sprintf("task-%d", p.firstID+i)
}

// info computes the task of a number, and what its entity lies under.
func (p *past) info(i int) (*types.TaskInfo, []ref) {
	roll := dice(i)
	take := func(n int) int { // the next number below n
		got := int(roll % uint64(n))
		roll = roll/uint64(n) ^ roll<<40
		return got
	}
	op := operations[take(len(operations))]
	info := &types.TaskInfo{Key: p.key(i), Name: op.method, DescriptionId: op.id, State: types.TaskInfoStateSuccess}
	info.Task = ref{Type: "Task", Value: info.Key}
	info.EventChainId = int32(i)*3 + 1
	info.Cancelable = take(4) == 0

	queued := p.made.Add(-pastSpan + time.Duration(i)*p.gaps + time.Duration(take(1000))*p.gaps/1000)
	started := queued.Add(time.Duration(take(300)) * time.Millisecond)
	length := time.Duration(take(20000)+20) * time.Millisecond
	if take(100) == 0 {
		length *= 100
	}
	ended := started.Add(length)
	if ended.After(p.newest) {
		ended = p.newest
	}
	info.QueueTime, started, ended = queued.Truncate(time.Microsecond), started.Truncate(time.Microsecond), ended.Truncate(time.Microsecond)
	info.StartTime, info.CompleteTime = &started, &ended

	var lies []ref
	if things := p.things[op.entity]; len(things) > 0 {
		it := things[take(len(things))]
		info.Entity, info.EntityName, lies = &it.ref, it.name, it.above
	}
	info.Reason = pastReason(take(20), info, pastUsers[take(len(pastUsers))])
	if take(8) == 0 {
		kind := pastFaults[take(len(pastFaults))]
		info.State, info.Error = types.TaskInfoStateError, faultFor(kind, "")
		if kind == "RequestCanceled" {
			info.Cancelled, info.Cancelable = true, true
		}
	} else if op.id == "VirtualMachine.clone" {
		info.Result = ref{Type: "VirtualMachine", Value: fmt.Sprintf("vm-%d", 10000+i)}
	}
	switch take(50) {
	case 0:
		info.ChangeTag = "nightly"
	case 1:
		info.ActivationId = fmt.Sprintf("a-%d", i)
	}
	if root := i / 40 * 40; i-root >= 1 && i-root <= 3 { // every fortieth task has three children
		info.ParentTaskKey, info.RootTaskKey = p.key(root), p.key(root)
	}
	return info, lies
}

func pastReason(roll int, info *types.TaskInfo, user string) types.BaseTaskReason {
	switch {
	case roll == 0 || info.Entity == nil:
		return scheduleReason
	case roll == 1:
		return alarmReason(info)
	case roll <= 3:
		return new(types.TaskReasonSystem)
	}
	return &types.TaskReasonUser{UserName: user}
}

var scheduleReason = &types.TaskReasonSchedule{
	Name:          "VMware vSphere Update Manager Check Notification",
	ScheduledTask: ref{Type: "ScheduledTask", Value: "schedule-2"},
}

func alarmReason(info *types.TaskInfo) types.BaseTaskReason {
	reason := &types.TaskReasonAlarm{AlarmName: "Virtual machine CPU usage", Alarm: ref{Type: "Alarm", Value: "alarm-6"}}
	if info.Entity != nil {
		reason.EntityName, reason.Entity = info.EntityName, *info.Entity
	}
	return reason
}
