// Tasks that run here: queued, running with progress in steps, then success, a fault, or cancelled.
package main

import (
	"fmt"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// order asks for a task; see README.md for the fields.
type order struct {
	Entity        string   `json:"entity"`
	DescriptionID string   `json:"descriptionId"`
	Name          *string  `json:"name"`
	Seconds       float64  `json:"seconds"`
	Queued        *float64 `json:"queued"`
	Steps         int      `json:"steps"`
	Fault         string   `json:"fault"`
	Message       string   `json:"message"`
	Detail        string   `json:"detail"`
	Cancelable    bool     `json:"cancelable"`
	User          string   `json:"user"`
	Reason        string   `json:"reason"`
	ParentTaskKey string   `json:"parentTaskKey"`
	Tag           string   `json:"tag"`
	ActivationID  string   `json:"activationId"`
	Result        string   `json:"result"`
	Count         int      `json:"count"`
}

// info says the order as a task, and refuses what makes no sense.
func (o *order) info() (types.TaskInfo, error) {
	o.DescriptionID = first(o.DescriptionID, "VirtualMachine.reconfigure")
	op, _ := operationOf(o.DescriptionID)
	info := types.TaskInfo{DescriptionId: o.DescriptionID, Name: op.method, Cancelable: o.Cancelable,
		ParentTaskKey: o.ParentTaskKey, RootTaskKey: o.ParentTaskKey, ChangeTag: o.Tag, ActivationId: o.ActivationID}
	if o.Name != nil {
		info.Name = *o.Name
	}
	entity, err := find(o.Entity)
	if err != nil {
		return info, err
	}
	if entity != nil {
		info.Entity, info.EntityName = entity, nameOf(*entity)
	}
	if o.Detail != "" {
		info.Description = &types.LocalizableMessage{Key: o.DescriptionID + ".detail", Message: o.Detail}
	}
	switch o.Reason {
	case "", "user":
		info.Reason = &types.TaskReasonUser{UserName: first(o.User, displayUser(opt.user))}
	case "schedule":
		info.Reason = scheduleReason
	case "alarm":
		info.Reason = alarmReason(&info)
	case "system":
		info.Reason = new(types.TaskReasonSystem)
	default:
		return info, fmt.Errorf("reason is user, schedule, alarm or system")
	}
	if o.Fault != "" && faultFor(o.Fault, "") == nil {
		return info, fmt.Errorf("no fault %q", o.Fault)
	}
	if o.Result != "" {
		if _, err := find(o.Result); err != nil {
			return info, err
		}
	}
	return info, nil
}

// start makes the task and lets it run.
func (o order) start() (*task, error) {
	info, err := o.info()
	if err != nil {
		return nil, err
	}
	t := tasks.add(info, make(chan struct{}), handleOf)
	go o.run(t)
	return t, nil
}

func (o order) run(t *task) {
	pause := o.Seconds / float64(o.Steps+2)
	queued := pause
	if o.Queued != nil {
		queued = *o.Queued
		pause = (o.Seconds - queued) / float64(o.Steps+1)
	}
	wait := func(seconds float64) bool {
		timer := time.NewTimer(time.Duration(seconds * float64(time.Second)))
		defer timer.Stop()
		select {
		case <-t.canceled:
			cancelled(t)
			return false
		case <-timer.C:
			return true
		}
	}
	if !wait(queued) {
		return
	}
	begin(t)
	for step := 1; step <= o.Steps; step++ {
		if !wait(pause) {
			return
		}
		progress(t, step*100/o.Steps)
	}
	if !wait(pause) {
		return
	}
	if o.Fault != "" {
		tasks.finish(t, types.TaskInfoStateError, faultFor(o.Fault, o.Message), nil)
		return
	}
	tasks.finish(t, types.TaskInfoStateSuccess, nil, func(info *types.TaskInfo) {
		if result, _ := find(o.Result); result != nil {
			info.Result = *result
		}
	})
}

func begin(t *task) {
	tasks.change(t, func(info *types.TaskInfo) {
		at := now()
		info.State, info.StartTime = types.TaskInfoStateRunning, &at
	})
}

func progress(t *task, percent int) {
	tasks.change(t, func(info *types.TaskInfo) { info.Progress = int32(percent) })
}

func cancelled(t *task) {
	tasks.finish(t, types.TaskInfoStateError, faultFor("RequestCanceled", ""), func(info *types.TaskInfo) { info.Cancelled = true })
}
