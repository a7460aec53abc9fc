// Faults by their type's name, and as SOAP answers.
package main

import (
	"reflect"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

var typeByName = types.TypeFunc()

func newFault(kind string) types.BaseMethodFault {
	found, ok := typeByName(kind)
	if !ok {
		return nil
	}
	fault, _ := reflect.New(found).Interface().(types.BaseMethodFault)
	switch f := fault.(type) {
	case *types.InvalidPowerState:
		f.RequestedState, f.ExistingState = types.VirtualMachinePowerStatePoweredOff, types.VirtualMachinePowerStatePoweredOff
	case *types.NoPermission:
		f.Object, f.PrivilegeId = ref{Type: "Folder", Value: "group-d1"}, "VirtualMachine.Interact.PowerOff"
	case *types.TaskInProgress:
		f.Task = ref{Type: "Task", Value: "task-1"}
	case *types.FileNotFound:
		f.File = "[LocalDS_0] 数据库/disk1.vmdk"
	case *types.NoDiskSpace:
		f.Datastore = "LocalDS_0"
	case *types.GenericVmConfigFault:
		f.Reason = "磁盘 1 无效"
	case *types.SystemError:
		f.Reason = "restart"
	}
	return fault
}

func kindOf(fault interface{}) string {
	if fault == nil {
		return ""
	}
	of := reflect.TypeOf(fault)
	if of.Kind() == reflect.Ptr {
		of = of.Elem()
	}
	return of.Name()
}

func invalidArgument(what string) *soap.Fault {
	return simulator.Fault("A specified parameter was not correct: "+what, &types.InvalidArgument{InvalidProperty: what})
}

func invalidState() *soap.Fault {
	return simulator.Fault(sentences["InvalidState"].english, new(types.InvalidState))
}

func notFound(what ref) types.BaseMethodFault {
	return &types.ManagedObjectNotFound{Obj: what}
}

const notFoundText = "The object has already been deleted or has not been completely created"

func notAuthenticated(object ref, privilege string) types.BaseMethodFault {
	return &types.NotAuthenticated{NoPermission: types.NoPermission{Object: object, PrivilegeId: privilege}}
}

// unlocked keeps the library from holding an object's lock during its methods: ours have locks of their own.
type unlocked struct{}

func (unlocked) Lock()   {}
func (unlocked) Unlock() {}
