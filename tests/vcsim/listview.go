// List views whose members may vanish: what does not resolve is given back, as a vCenter does.
package main

import (
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// ViewManager makes our list views and the library's other views.
type ViewManager struct {
	*simulator.ViewManager
}

// ListView belongs to a session.
type ListView struct {
	mo.ListView
	unlocked
	mu sync.Mutex
}

// CreateListView makes a list; references that do not resolve are left out.
func (m *ViewManager) CreateListView(ctx *simulator.Context, req *types.CreateListView) soap.HasFault {
	list := new(ListView)
	list.put(ctx, req.Obj)
	made := ctx.Session.Put(list).Reference()
	return &methods.CreateListViewBody{Res: &types.CreateListViewResponse{Returnval: made}}
}

// put adds what resolves and is not in the list, and gives back what does not resolve.
func (v *ListView) put(ctx *simulator.Context, refs []ref) []ref {
	there := map[ref]bool{}
	for _, one := range v.View {
		there[one] = true
	}
	var unresolved []ref
	for _, one := range refs {
		if _, ok := object(ctx, one); !ok {
			unresolved = append(unresolved, one)
		} else if !there[one] {
			there[one] = true
			v.View = append(v.View, one)
		}
	}
	return unresolved
}

// current leaves out tasks that are gone.
func (v *ListView) current(string) mo.Reference {
	v.mu.Lock()
	defer v.mu.Unlock()
	shown := v.ListView
	shown.View = nil
	for _, one := range v.View {
		if _, ok := tasks.resolve(one.Value); ok || one.Type != "Task" {
			shown.View = append(shown.View, one)
		}
	}
	return &shown
}

// ModifyListView removes, then adds.
func (v *ListView) ModifyListView(ctx *simulator.Context, req *types.ModifyListView) soap.HasFault {
	v.mu.Lock()
	gone := map[ref]bool{}
	for _, one := range req.Remove {
		gone[one] = true
	}
	kept := v.View[:0:0]
	for _, one := range v.View {
		if !gone[one] {
			kept = append(kept, one)
		}
	}
	v.View = kept
	unresolved := v.put(ctx, req.Add)
	v.mu.Unlock()
	updates.touch(v.Self)
	return &methods.ModifyListViewBody{Res: &types.ModifyListViewResponse{Returnval: unresolved}}
}

// ResetListView replaces the list.
func (v *ListView) ResetListView(ctx *simulator.Context, req *types.ResetListView) soap.HasFault {
	v.mu.Lock()
	v.View = nil
	unresolved := v.put(ctx, req.Obj)
	v.mu.Unlock()
	updates.touch(v.Self)
	return &methods.ResetListViewBody{Res: &types.ResetListViewResponse{Returnval: unresolved}}
}

// DestroyView ends the view.
func (v *ListView) DestroyView(ctx *simulator.Context, _ *types.DestroyView) soap.HasFault {
	ctx.Session.Remove(v.Self)
	updates.touch(v.Self)
	return &methods.DestroyViewBody{Res: new(types.DestroyViewResponse)}
}
