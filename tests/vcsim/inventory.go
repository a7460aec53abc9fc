// What of the library's inventory the tasks need: names, and who lies under whom.
package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

var chinese = []string{"数据库", "网关", "中间件", "备份", "测试"}

func renameMachines() {
	for i, machine := range entities("VirtualMachine") {
		if i%3 != 2 {
			continue
		}
		name := fmt.Sprintf("%s-%d", chinese[i/3%len(chinese)], i)
		simulator.Map.Update(simulator.Map.Get(machine), []types.PropertyChange{
			{Name: "name", Val: name},
			{Name: "config.name", Val: name},
			{Name: "summary.config.name", Val: name},
		})
	}
}

// entities lists the references of a type by number, oldest first.
func entities(kind string) []ref {
	var refs []ref
	for _, entity := range simulator.Map.All(kind) {
		refs = append(refs, entity.Reference())
	}
	sort.Slice(refs, func(a, b int) bool {
		if refs[a].Type != refs[b].Type {
			return refs[a].Type < refs[b].Type
		}
		return number(refs[a].Value) < number(refs[b].Value)
	})
	return refs
}

func number(value string) int {
	n, _ := strconv.Atoi(value[strings.LastIndexAny(value, "-ds")+1:])
	return n
}

func nameOf(of ref) string {
	entity, ok := simulator.Map.Get(of).(mo.Entity)
	if !ok {
		return of.Value
	}
	if name := entity.Entity().Name; name != "" {
		return name
	}
	switch x := entity.(type) {
	case *simulator.DistributedVirtualPortgroup:
		return x.Name
	case *simulator.DistributedVirtualSwitch:
		return x.Name
	}
	return of.Value
}

// find understands "Type:value", a value such as vm-57, and a name. Nothing is found for "".
func find(what string) (*ref, error) {
	if what == "" {
		return nil, nil
	}
	if kind, value, ok := strings.Cut(what, ":"); ok {
		return &ref{Type: kind, Value: value}, nil
	}
	for _, entity := range entities("") {
		if entity.Value == what || nameOf(entity) == what {
			found := entity
			return &found, nil
		}
	}
	return nil, fmt.Errorf("no entity %q", what)
}

// above lists everything that an entity lies under: its parents, and for a machine also its host and pool.
func above(of *ref) []ref {
	if of == nil {
		return nil
	}
	var list []ref
	seen := map[ref]bool{*of: true}
	var climb func(ref)
	climb = func(at ref) {
		entity, ok := simulator.Map.Get(at).(mo.Entity)
		if !ok {
			return
		}
		next := []*ref{entity.Entity().Parent}
		if machine, ok := entity.(*simulator.VirtualMachine); ok {
			next = append(next, machine.Runtime.Host, machine.ResourcePool)
		}
		for _, parent := range next {
			if parent != nil && !seen[*parent] {
				seen[*parent] = true
				list = append(list, *parent)
				climb(*parent)
			}
		}
	}
	climb(*of)
	return list
}
