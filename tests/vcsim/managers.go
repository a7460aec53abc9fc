// The objects that stand in for the library's: the task manager with a history and a localised catalogue, tasks that
// can be cancelled, and the library's own tasks under a vCenter's names.
package main

import (
	"strings"
	"time"
	"unicode"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const maxCollectors = 32

type simulatorObject = mo.Reference

var taskManager = ref{Type: "TaskManager", Value: "TaskManager"}

// TaskManager takes the library's place; as a handler of the registry it hears of every object.
type TaskManager struct {
	mo.TaskManager
	unlocked
}

// Task is what a task's reference leads to.
type Task struct {
	mo.Task
	unlocked
	task *task
}

// replaceManagers comes after the inventory: the tasks that made it are in nobody's history.
func replaceManagers() {
	manager := new(TaskManager)
	manager.Self = taskManager
	simulator.Map.Put(manager)
	simulator.Map.AddHandler(manager)

	collector := new(PropertyCollector)
	collector.Self = ref{Type: "PropertyCollector", Value: "propertyCollector"}
	simulator.Map.Put(collector)

	views := &ViewManager{ViewManager: simulator.Map.ViewManager()}
	simulator.Map.Put(views)
}

// PutObject gives a task that the library makes a key of ours and the names of a vCenter.
func (m *TaskManager) PutObject(object mo.Reference) {
	made, ok := object.(*simulator.Task)
	if !ok {
		updates.touch(object.Reference())
		return
	}
	if _, known := tasks.resolve(made.Self.Value); known {
		return
	}
	mend(&made.Info)
	old := made.Self
	t := tasks.add(made.Info, nil, func(t *task) simulatorObject {
		made.Self, made.Info.Key, made.Info.Task = t.self, t.self.Value, t.self
		return made
	})
	simulator.Map.Remove(old)
	// The library looks at its own task right after it ended; later ours can be asked to cancel.
	time.AfterFunc(time.Second, func() { replaceTask(t) })
}

func replaceTask(t *task) {
	if _, ok := tasks.resolve(t.self.Value); ok {
		simulator.Map.Put(handleOf(t))
	}
}

func handleOf(t *task) simulatorObject {
	handle := &Task{task: t}
	handle.Self = t.self
	return handle
}

// UpdateObject takes over what the library says of its task.
func (m *TaskManager) UpdateObject(object mo.Reference, _ []types.PropertyChange) {
	said, ok := object.(*mo.Task)
	if !ok {
		updates.touch(object.Reference())
		return
	}
	tasks.mu.Lock()
	t := tasks.byKey[said.Self.Value]
	tasks.mu.Unlock()
	if t == nil {
		return
	}
	tasks.change(t, func(info *types.TaskInfo) {
		info.State, info.Result, info.Progress = said.Info.State, said.Info.Result, said.Info.Progress
		info.StartTime, info.CompleteTime = micros(said.Info.StartTime), micros(said.Info.CompleteTime)
		if fault := said.Info.Error; fault != nil {
			kind := kindOf(fault.Fault)
			info.Error = &types.LocalizedMethodFault{Fault: fault.Fault, LocalizedMessage: first(sentences[kind].english, kind)}
		}
	})
}

// RemoveObject passes on that something is gone.
func (m *TaskManager) RemoveObject(gone ref) {
	updates.touch(gone)
}

func micros(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	rounded := at.UTC().Truncate(time.Microsecond)
	return &rounded
}

// mend says a task of the library as a vCenter would.
func mend(info *types.TaskInfo) {
	if id, ok := mended[info.DescriptionId]; ok {
		info.DescriptionId = id
	}
	if op, ok := operationOf(info.DescriptionId); ok && op.method != "" {
		info.Name = op.method
	} else if !strings.HasSuffix(info.Name, "_Task") {
		info.Name += "_Task"
	}
	if info.Entity != nil && info.Entity.Type == "VirtualMachineSnapshot" {
		if snapshot, ok := simulator.Map.Get(*info.Entity).(*simulator.VirtualMachineSnapshot); ok {
			machine := snapshot.Vm
			info.Entity = &machine
		}
	}
	if info.Entity != nil {
		if _, ok := simulator.Map.Get(*info.Entity).(mo.Entity); ok {
			info.EntityName = nameOf(*info.Entity)
		} else { // a manager of files or disks
			info.Entity, info.EntityName = nil, ""
		}
	}
	info.Reason = &types.TaskReasonUser{UserName: displayUser(opt.user)}
}

// displayUser writes administrator@vsphere.local as a vCenter shows it: VSPHERE.LOCAL\Administrator.
func displayUser(user string) string {
	name, domain, ok := strings.Cut(user, "@")
	if !ok || name == "" {
		return user
	}
	letters := []rune(name)
	letters[0] = unicode.ToUpper(letters[0])
	return strings.ToUpper(domain) + `\` + string(letters)
}

// CreateCollectorForTasks makes a history collector of the session.
func (m *TaskManager) CreateCollectorForTasks(ctx *simulator.Context, req *types.CreateCollectorForTasks) soap.HasFault {
	body := new(methods.CreateCollectorForTasksBody)
	collector, fault := newCollector(ctx, req.Filter)
	if fault != nil {
		body.Fault_ = fault
		return body
	}
	body.Res = &types.CreateCollectorForTasksResponse{Returnval: collector.Self}
	return body
}

// CancelTask asks a running task to end.
func (t *Task) CancelTask(ctx *simulator.Context, req *types.CancelTask) soap.HasFault {
	body := new(methods.CancelTaskBody)
	tasks.mu.Lock()
	defer tasks.mu.Unlock()
	switch {
	case finished(t.task.info):
		body.Fault_ = invalidState()
	case !t.task.info.Cancelable || t.task.canceled == nil:
		body.Fault_ = simulator.Fault("The operation is not supported on the object.", new(types.NotSupported))
	default:
		select {
		case <-t.task.canceled: // asked for already
		default:
			close(t.task.canceled)
		}
		body.Res = new(types.CancelTaskResponse)
	}
	return body
}
