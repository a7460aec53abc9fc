// Which tasks a TaskFilterSpec lets through.
package main

import (
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type test func(info *types.TaskInfo, above []ref) bool

// compile turns a filter into tests, all of which must hold.
func compile(spec types.TaskFilterSpec) ([]test, *soap.Fault) {
	var tests []test
	if by := spec.Entity; by != nil {
		if simulator.Map.Get(by.Entity) == nil {
			return nil, simulator.Fault(notFoundText, notFound(by.Entity))
		}
		tests = append(tests, byEntity(by.Entity, by.Recursion))
	}
	if by := spec.Time; by != nil {
		tests = append(tests, byTime(by))
	}
	if by := spec.UserName; by != nil {
		tests = append(tests, byUser(by))
	}
	if len(spec.State) > 0 {
		tests = append(tests, func(info *types.TaskInfo, _ []ref) bool {
			for _, state := range spec.State {
				if state == info.State {
					return true
				}
			}
			return false
		})
	}
	if len(spec.EventChainId) > 0 {
		tests = append(tests, func(info *types.TaskInfo, _ []ref) bool {
			for _, id := range spec.EventChainId {
				if id == info.EventChainId {
					return true
				}
			}
			return false
		})
	}
	tests = among(tests, spec.ParentTaskKey, func(info *types.TaskInfo) string { return info.ParentTaskKey })
	tests = among(tests, spec.RootTaskKey, func(info *types.TaskInfo) string { return info.RootTaskKey })
	tests = among(tests, spec.Tag, func(info *types.TaskInfo) string { return info.ChangeTag })
	tests = among(tests, spec.ActivationId, func(info *types.TaskInfo) string { return info.ActivationId })
	if spec.Alarm != nil {
		tests = append(tests, func(info *types.TaskInfo, _ []ref) bool {
			reason, ok := info.Reason.(*types.TaskReasonAlarm)
			return ok && reason.Alarm == *spec.Alarm
		})
	}
	if spec.ScheduledTask != nil {
		tests = append(tests, func(info *types.TaskInfo, _ []ref) bool {
			reason, ok := info.Reason.(*types.TaskReasonSchedule)
			return ok && reason.ScheduledTask == *spec.ScheduledTask
		})
	}
	return tests, nil
}

func among(tests []test, wanted []string, value func(*types.TaskInfo) string) []test {
	if len(wanted) == 0 {
		return tests
	}
	return append(tests, func(info *types.TaskInfo, _ []ref) bool {
		has := value(info)
		for _, one := range wanted {
			if one == has && has != "" {
				return true
			}
		}
		return false
	})
}

// byEntity: "children" are all that lies under the entity, without itself; tasks without an entity never pass.
func byEntity(entity ref, recursion types.TaskFilterSpecRecursionOption) test {
	return func(info *types.TaskInfo, above []ref) bool {
		if info.Entity == nil {
			return false
		}
		if *info.Entity == entity {
			return recursion != types.TaskFilterSpecRecursionOptionChildren
		}
		if recursion == types.TaskFilterSpecRecursionOptionSelf {
			return false
		}
		for _, parent := range above {
			if parent == entity {
				return true
			}
		}
		return false
	}
}

func byTime(by *types.TaskFilterSpecByTime) test {
	return func(info *types.TaskInfo, _ []ref) bool {
		var at *time.Time
		switch by.TimeType {
		case types.TaskFilterSpecTimeOptionQueuedTime:
			at = &info.QueueTime
		case types.TaskFilterSpecTimeOptionStartedTime:
			at = info.StartTime
		case types.TaskFilterSpecTimeOptionCompletedTime:
			at = info.CompleteTime
		}
		return at != nil && !(by.BeginTime != nil && at.Before(*by.BeginTime)) && !(by.EndTime != nil && at.After(*by.EndTime))
	}
}

func byUser(by *types.TaskFilterSpecByUsername) test {
	return func(info *types.TaskInfo, _ []ref) bool {
		reason, ok := info.Reason.(*types.TaskReasonUser)
		if !ok {
			return by.SystemUser
		}
		for _, user := range by.UserList {
			if user == reason.UserName {
				return true
			}
		}
		return len(by.UserList) == 0 && !by.SystemUser
	}
}
