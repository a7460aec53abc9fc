// Operations as a vCenter names them, their Chinese labels, and the words of faults.
package main

import (
	"strings"
	"sync"

	"github.com/vmware/govmomi/simulator/vpx"
	"github.com/vmware/govmomi/vim25/types"
)

type operation struct {
	id, method, entity, label string
}

var operations = []operation{
	{"VirtualMachine.reconfigure", "ReconfigVM_Task", "VirtualMachine", "重新配置虚拟机"},
	{"VirtualMachine.powerOn", "PowerOnVM_Task", "VirtualMachine", "打开虚拟机电源"},
	{"VirtualMachine.powerOff", "PowerOffVM_Task", "VirtualMachine", "关闭虚拟机电源"},
	{"VirtualMachine.createSnapshot", "CreateSnapshot_Task", "VirtualMachine", "创建虚拟机快照"},
	{"vm.Snapshot.revert", "RevertToSnapshot_Task", "VirtualMachine", "恢复快照"},
	{"vm.Snapshot.remove", "RemoveSnapshot_Task", "VirtualMachine", "移除快照"},
	{"VirtualMachine.clone", "CloneVM_Task", "VirtualMachine", "克隆虚拟机"},
	{"VirtualMachine.destroy", "Destroy_Task", "VirtualMachine", "删除虚拟机"},
	{"VirtualMachine.reset", "ResetVM_Task", "VirtualMachine", "重置虚拟机"},
	{"VirtualMachine.suspend", "SuspendVM_Task", "VirtualMachine", "挂起虚拟机"},
	{"VirtualMachine.relocate", "RelocateVM_Task", "VirtualMachine", "重定位虚拟机"},
	{"VirtualMachine.rename", "Rename_Task", "VirtualMachine", "重命名虚拟机"},
	{"VirtualMachine.removeAllSnapshots", "RemoveAllSnapshots_Task", "VirtualMachine", "移除所有快照"},
	{"VirtualMachine.revertToCurrentSnapshot", "RevertToCurrentSnapshot_Task", "VirtualMachine", "恢复到当前快照"},
	{"VirtualMachine.upgradeVirtualHardware", "UpgradeVM_Task", "VirtualMachine", "升级虚拟硬件"},
	{"VirtualMachine.customize", "CustomizeVM_Task", "VirtualMachine", "自定义虚拟机"},
	{"Drm.ExecuteVMotionLRO", "", "VirtualMachine", "迁移虚拟机"},
	{"Folder.createVm", "CreateVM_Task", "Folder", "创建虚拟机"},
	{"HostSystem.enterMaintenanceMode", "EnterMaintenanceMode_Task", "HostSystem", "进入维护模式"},
	{"HostSystem.exitMaintenanceMode", "ExitMaintenanceMode_Task", "HostSystem", "退出维护模式"},
	{"ClusterComputeResource.reconfigure", "ReconfigureCluster_Task", "ClusterComputeResource", "重新配置群集"},
	{"com.vmware.vcIntegrity.CheckNotificationTask", "", "", "检查新通知"},
}

// What the library calls otherwise than a vCenter.
var mended = map[string]string{
	"VirtualMachine.reconfigVm":               "VirtualMachine.reconfigure",
	"VirtualMachine.cloneVm":                  "VirtualMachine.clone",
	"VirtualMachine.relocateVm":               "VirtualMachine.relocate",
	"VirtualMachine.upgradeVm":                "VirtualMachine.upgradeVirtualHardware",
	"VirtualMachine.customizeVm":              "VirtualMachine.customize",
	"VirtualMachine.revertSnapshot":           "VirtualMachine.revertToCurrentSnapshot",
	"VirtualMachine.RemoveAllSnapshots":       "VirtualMachine.removeAllSnapshots",
	"VirtualMachineSnapshot.removeSnapshot":   "vm.Snapshot.remove",
	"VirtualMachineSnapshot.revertToSnapshot": "vm.Snapshot.revert",
}

func operationOf(id string) (operation, bool) {
	for _, op := range operations {
		if op.id == id {
			return op, true
		}
	}
	return operation{}, false
}

var words = map[string]string{
	"queued": "已排队", "running": "正在运行", "success": "成功", "error": "错误",
	"TaskReasonSchedule": "已调度任务", "TaskReasonUser": "用户任务", "TaskReasonSystem": "系统任务", "TaskReasonAlarm": "警报任务",
}

func isChinese(locale string) bool {
	return strings.HasPrefix(strings.ToLower(locale), "zh")
}

var (
	chineseOnce        sync.Once
	chineseDescription types.TaskDescription
)

// description is the catalogue in a locale: Chinese where it is known here, else English.
func description(locale string) types.TaskDescription {
	if !isChinese(locale) {
		return vpx.Description
	}
	chineseOnce.Do(func() {
		d := &chineseDescription
		for _, method := range vpx.Description.MethodInfo {
			element := *method.GetElementDescription()
			if op, ok := operationOf(element.Key); ok {
				element.Label, element.Summary = op.label, op.label
			}
			d.MethodInfo = append(d.MethodInfo, &element)
		}
		for _, state := range vpx.Description.State {
			element := *state.GetElementDescription()
			element.Label, element.Summary = words[element.Key], words[element.Key]
			d.State = append(d.State, &element)
		}
		for _, reason := range vpx.Description.Reason {
			element := *reason.GetTypeDescription()
			element.Label, element.Summary = words[element.Key], words[element.Key]
			d.Reason = append(d.Reason, &element)
		}
	})
	return chineseDescription
}

type sentence struct{ english, chinese string }

var sentences = map[string]sentence{
	"InvalidPowerState":    {"The attempted operation cannot be performed in the current power state.", "在当前电源状况下不允许执行尝试的操作。"},
	"InvalidState":         {"The operation is not allowed in the current state.", "在当前状况下不允许执行此操作。"},
	"RequestCanceled":      {"The task was canceled by a user.", "用户已取消任务。"},
	"NoPermission":         {"Permission to perform this operation was denied.", "执行此操作的权限被拒绝。"},
	"TaskInProgress":       {"Another task is already in progress.", "另一个任务已在进行中。"},
	"FileNotFound":         {"A file was not found.", "未找到文件。"},
	"NoDiskSpace":          {"There is not enough space on the datastore.", "数据存储空间不足。"},
	"GenericVmConfigFault": {"The virtual machine's configuration is not valid.", "虚拟机的配置无效。"},
	"Timedout":             {"Operation timed out.", "操作超时。"},
	"SystemError":          {"The task was interrupted by a restart of the server.", "任务因服务器重新启动而中断。"},
}

// faultFor makes a fault by its type's name, with English words for those that are known here.
func faultFor(kind, message string) *types.LocalizedMethodFault {
	fault := newFault(kind)
	if fault == nil {
		return nil
	}
	return &types.LocalizedMethodFault{Fault: fault, LocalizedMessage: first(message, sentences[kind].english, kind)}
}

// localised gives a task's words in a session's locale; own words stay as they are.
func localised(info *types.TaskInfo, locale string) *types.TaskInfo {
	if info.Error == nil || !isChinese(locale) {
		return info
	}
	words := sentences[kindOf(info.Error.Fault)]
	if words.chinese == "" || info.Error.LocalizedMessage != words.english {
		return info
	}
	copied, fault := *info, *info.Error
	fault.LocalizedMessage = words.chinese
	copied.Error = &fault
	return &copied
}
