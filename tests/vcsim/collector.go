// The task history collector: a cursor over the history for reading, and a latest page that can be watched.
package main

import (
	"sort"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	firstPage = 10
	maxPage   = 1000
)

// TaskHistoryCollector belongs to a session. Its fields are guarded by the history's lock.
type TaskHistoryCollector struct {
	mo.TaskHistoryCollector
	unlocked
	session string
	tests   []test
	next    int   // where ReadNextTasks goes on
	page    []int // the latest page, oldest first
	size    int
}

func newCollector(ctx *simulator.Context, spec types.TaskFilterSpec) (*TaskHistoryCollector, *soap.Fault) {
	tests, fault := compile(spec)
	if fault != nil {
		return nil, fault
	}
	c := &TaskHistoryCollector{session: ctx.Session.Key, tests: tests, size: firstPage}
	c.Filter = spec
	tasks.mu.Lock()
	defer tasks.mu.Unlock()
	mine := 0
	for other := range tasks.collectors {
		if other.session == c.session {
			mine++
		}
	}
	if mine >= maxCollectors {
		return nil, invalidState()
	}
	c.next = tasks.low
	for i := tasks.end() - 1; i >= tasks.low && len(c.page) < c.size; i-- {
		if c.passes(i) != nil {
			c.page = append(c.page, i)
		}
	}
	sort.Ints(c.page)
	ctx.Session.Put(c)
	tasks.collectors[c] = true
	return c, nil
}

// passes gives the task at an index when it is remembered and the filter lets it through.
func (c *TaskHistoryCollector) passes(index int) *types.TaskInfo {
	info, above := tasks.at(index)
	if info == nil {
		return nil
	}
	for _, holds := range c.tests {
		if !holds(info, above) {
			return nil
		}
	}
	return info
}

// hear takes in that a task began or changed its state, and says whether the latest page changed.
func (c *TaskHistoryCollector) hear(t *task) bool {
	place := sort.SearchInts(c.page, t.index)
	there := place < len(c.page) && c.page[place] == t.index
	passes := c.passes(t.index) != nil
	switch {
	case there && !passes:
		c.page = append(c.page[:place], c.page[place+1:]...)
	case !there && passes:
		if place == 0 && len(c.page) >= c.size {
			return false // older than the page
		}
		c.page = append(c.page, 0)
		copy(c.page[place+1:], c.page[place:])
		c.page[place] = t.index
		c.trim()
	}
	return there || passes
}

func (c *TaskHistoryCollector) trim() {
	if over := len(c.page) - c.size; over > 0 {
		c.page = append([]int(nil), c.page[over:]...)
	}
}

// current is the object with its properties as they are now.
func (c *TaskHistoryCollector) current(locale string) mo.Reference {
	tasks.mu.Lock()
	defer tasks.mu.Unlock()
	object := c.TaskHistoryCollector
	for _, i := range c.page {
		if info, _ := tasks.at(i); info != nil {
			object.LatestPage = append(object.LatestPage, *localised(info, locale))
		}
	}
	return &object
}

func (c *TaskHistoryCollector) read(ctx *simulator.Context, count int32, step int) ([]types.TaskInfo, *soap.Fault) {
	if count < 1 || count > maxPage {
		return nil, invalidArgument("maxCount")
	}
	tasks.mu.Lock()
	defer tasks.mu.Unlock()
	var list []types.TaskInfo
	if c.next < tasks.low {
		c.next = tasks.low
	}
	for len(list) < int(count) {
		i := c.next
		if step < 0 {
			i--
		}
		if i < tasks.low || i >= tasks.end() {
			break
		}
		c.next += step
		if info := c.passes(i); info != nil {
			list = append(list, *localised(info, ctx.Session.Locale))
		}
	}
	return list, nil
}

// ReadNextTasks reads on towards the newest.
func (c *TaskHistoryCollector) ReadNextTasks(ctx *simulator.Context, req *types.ReadNextTasks) soap.HasFault {
	list, fault := c.read(ctx, req.MaxCount, 1)
	if fault != nil {
		return &methods.ReadNextTasksBody{Fault_: fault}
	}
	return &methods.ReadNextTasksBody{Res: &types.ReadNextTasksResponse{Returnval: list}}
}

// ReadPreviousTasks reads back towards the oldest.
func (c *TaskHistoryCollector) ReadPreviousTasks(ctx *simulator.Context, req *types.ReadPreviousTasks) soap.HasFault {
	list, fault := c.read(ctx, req.MaxCount, -1)
	if fault != nil {
		return &methods.ReadPreviousTasksBody{Fault_: fault}
	}
	return &methods.ReadPreviousTasksBody{Res: &types.ReadPreviousTasksResponse{Returnval: list}}
}

// RewindCollector stands before the oldest.
func (c *TaskHistoryCollector) RewindCollector(*types.RewindCollector) soap.HasFault {
	tasks.mu.Lock()
	defer tasks.mu.Unlock()
	c.next = tasks.low
	return &methods.RewindCollectorBody{Res: new(types.RewindCollectorResponse)}
}

// ResetCollector stands before the latest page.
func (c *TaskHistoryCollector) ResetCollector(*types.ResetCollector) soap.HasFault {
	tasks.mu.Lock()
	defer tasks.mu.Unlock()
	c.next = tasks.end()
	if len(c.page) > 0 {
		c.next = c.page[0]
	}
	return &methods.ResetCollectorBody{Res: new(types.ResetCollectorResponse)}
}

// SetCollectorPageSize cuts the page or lets it grow with tasks to come; it is not filled with old ones.
func (c *TaskHistoryCollector) SetCollectorPageSize(req *types.SetCollectorPageSize) soap.HasFault {
	if req.MaxCount < 1 || req.MaxCount > maxPage {
		return &methods.SetCollectorPageSizeBody{Fault_: invalidArgument("maxCount")}
	}
	tasks.mu.Lock()
	c.size = int(req.MaxCount)
	c.trim()
	tasks.mu.Unlock()
	updates.touch(c.Self)
	return &methods.SetCollectorPageSizeBody{Res: new(types.SetCollectorPageSizeResponse)}
}

// DestroyCollector ends the collector.
func (c *TaskHistoryCollector) DestroyCollector(ctx *simulator.Context, _ *types.DestroyCollector) soap.HasFault {
	c.drop()
	ctx.Session.Remove(c.Self)
	updates.touch(c.Self)
	return &methods.DestroyCollectorBody{Res: new(types.DestroyCollectorResponse)}
}

func (c *TaskHistoryCollector) drop() {
	tasks.mu.Lock()
	defer tasks.mu.Unlock()
	delete(tasks.collectors, c)
}
