// A filter of a property collector: what it showed last, and what is new since then.
package main

import (
	"reflect"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// PropertyFilter is guarded by its collector's lock.
type PropertyFilter struct {
	mo.PropertyFilter
	unlocked
	pc      *PropertyCollector
	shown   map[ref]content // nil: nothing was shown yet
	order   []ref
	nodes   map[ref]bool
	missing map[ref]bool
}

// news computes the updates since the last look. `changed` are the objects that changed.
func (f *PropertyFilter) news(ctx *simulator.Context, changed map[ref]bool) ([]types.ObjectUpdate, []types.MissingObject, types.BaseMethodFault) {
	begin := f.shown == nil
	if begin {
		f.shown, f.missing = map[ref]content{}, map[ref]bool{}
	}
	again := begin
	for one := range changed {
		if f.nodes[one] || f.missing[one] {
			again = true
		} else if _, known := f.shown[one]; known {
			if _, there := object(ctx, one); !there {
				again = true
			}
		}
	}
	var list []types.ObjectUpdate
	var missing []types.MissingObject
	if again {
		s, fault := choose(ctx, f.Spec.ObjectSet)
		if fault != nil {
			return nil, nil, fault
		}
		if missing, fault = f.lost(s, begin); fault != nil {
			return nil, nil, fault
		}
		for _, one := range f.order {
			if _, known := f.shown[one]; known && !s.known[one] {
				delete(f.shown, one)
				list = append(list, types.ObjectUpdate{Kind: types.ObjectUpdateKindLeave, Obj: one})
			}
		}
		f.order, f.nodes = s.refs, s.nodes
	}
	for _, one := range f.order {
		old, known := f.shown[one]
		if known && !changed[one] {
			continue
		}
		found, asked, c := contentOf(ctx, one, f.Spec.PropSet)
		if !found || !asked {
			continue
		}
		f.shown[one] = c
		update := types.ObjectUpdate{Kind: types.ObjectUpdateKindEnter, Obj: one, MissingSet: c.missing}
		if known {
			update.Kind = types.ObjectUpdateKindModify
			if reflect.DeepEqual(old.missing, c.missing) {
				update.MissingSet = nil
			}
		}
		update.ChangeSet = difference(old.props, c.props)
		if !known || len(update.ChangeSet)+len(update.MissingSet) > 0 {
			list = append(list, update)
		}
	}
	return list, missing, nil
}

// lost names starting points that are not there: a fault, unless the filter wants them reported.
func (f *PropertyFilter) lost(s *selection, begin bool) ([]types.MissingObject, types.BaseMethodFault) {
	var list []types.MissingObject
	now := map[ref]bool{}
	for _, one := range s.missing {
		if f.Spec.ReportMissingObjectsInResults == nil || !*f.Spec.ReportMissingObjectsInResults {
			if begin {
				f.shown = nil
				return nil, notFound(one)
			}
			continue
		}
		now[one] = true
		if !f.missing[one] {
			list = append(list, types.MissingObject{Obj: one, Fault: types.LocalizedMethodFault{Fault: notFound(one), LocalizedMessage: notFoundText}})
		}
	}
	f.missing = now
	return list, nil
}

// difference lists the properties that are not as they were; before the first look, all that are asked for.
func difference(old, current []types.DynamicProperty) []types.PropertyChange {
	was := map[string]interface{}{}
	for _, p := range old {
		was[p.Name] = p.Val
	}
	var changes []types.PropertyChange
	for _, p := range current {
		if before, known := was[p.Name]; known && reflect.DeepEqual(before, p.Val) {
			continue
		}
		changes = append(changes, types.PropertyChange{Name: p.Name, Op: types.PropertyChangeOpAssign, Val: p.Val})
	}
	return changes
}

// DestroyPropertyFilter ends the filter.
func (f *PropertyFilter) DestroyPropertyFilter(ctx *simulator.Context, _ *types.DestroyPropertyFilter) soap.HasFault {
	f.pc.mu.Lock()
	kept := f.pc.filters[:0:0]
	for _, other := range f.pc.filters {
		if other != f {
			kept = append(kept, other)
		}
	}
	f.pc.filters = kept
	f.pc.mu.Unlock()
	ctx.Session.Remove(f.Self)
	return &methods.DestroyPropertyFilterBody{Res: new(types.DestroyPropertyFilterResponse)}
}
