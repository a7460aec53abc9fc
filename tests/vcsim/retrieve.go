// The property collector's one-time half: which objects a filter selects, and RetrievePropertiesEx page by page.
package main

import (
	"reflect"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// selection is what a filter's objectSet leads to.
type selection struct {
	refs    []ref
	known   map[ref]bool
	nodes   map[ref]bool // objects whose properties led further
	missing []ref        // starting points that do not exist
	named   map[string]*types.TraversalSpec
}

func choose(ctx *simulator.Context, set []types.ObjectSpec) (*selection, types.BaseMethodFault) {
	s := &selection{known: map[ref]bool{}, nodes: map[ref]bool{}, named: map[string]*types.TraversalSpec{}}
	for _, start := range set {
		value, ok := object(ctx, start.Obj)
		if !ok {
			s.missing = append(s.missing, start.Obj)
			continue
		}
		if start.SelectSet == nil || start.Skip == nil || !*start.Skip {
			s.add(start.Obj)
		}
		if err := s.follow(ctx, start.Obj, value, start.SelectSet); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *selection) add(one ref) {
	if !s.known[one] {
		s.known[one] = true
		s.refs = append(s.refs, one)
	}
}

func (s *selection) follow(ctx *simulator.Context, from ref, value reflect.Value, steps []types.BaseSelectionSpec) types.BaseMethodFault {
	for _, step := range steps {
		if spec, ok := step.(*types.TraversalSpec); ok && spec.Name != "" {
			s.named[spec.Name] = spec
		}
	}
	for _, step := range steps {
		spec, ok := step.(*types.TraversalSpec)
		if !ok {
			if spec = s.named[step.GetSelectionSpec().Name]; spec == nil {
				return &types.InvalidArgument{InvalidProperty: "undefined TraversalSpec name"}
			}
		}
		got, err := property(value, spec.Path)
		if err != nil {
			continue // of another type
		}
		s.nodes[from] = true
		var targets []ref
		switch found := got.(type) {
		case ref:
			targets = []ref{found}
		case *types.ArrayOfManagedObjectReference:
			targets = found.ManagedObjectReference
		}
		for _, target := range targets {
			next, ok := object(ctx, target)
			if !ok {
				continue
			}
			if spec.Skip == nil || !*spec.Skip {
				s.add(target)
			}
			if err := s.follow(ctx, target, next, spec.SelectSet); err != nil {
				return err
			}
		}
	}
	return nil
}

func retrieve(ctx *simulator.Context, specs []types.PropertyFilterSpec) ([]types.ObjectContent, *soap.Fault) {
	var list []types.ObjectContent
	for _, spec := range specs {
		s, err := choose(ctx, spec.ObjectSet)
		if err != nil {
			return nil, simulator.Fault("", err)
		}
		if len(s.missing) > 0 && !(spec.ReportMissingObjectsInResults != nil && *spec.ReportMissingObjectsInResults) {
			return nil, simulator.Fault(notFoundText, notFound(s.missing[0]))
		}
		for _, one := range s.refs {
			found, asked, c := contentOf(ctx, one, spec.PropSet)
			if !found || !asked {
				continue
			}
			content := types.ObjectContent{Obj: one, MissingSet: c.missing}
			for _, p := range c.props {
				if p.Val != nil {
					content.PropSet = append(content.PropSet, p)
				}
			}
			list = append(list, content)
		}
	}
	return list, nil
}

// RetrievePropertiesEx gives at most maxObjects, or the server's own limit, and a token for the rest.
func (pc *PropertyCollector) RetrievePropertiesEx(ctx *simulator.Context, req *types.RetrievePropertiesEx) soap.HasFault {
	list, fault := retrieve(ctx, req.SpecSet)
	if fault != nil {
		return &methods.RetrievePropertiesExBody{Fault_: fault}
	}
	result := pc.page(ctx, list, req.Options.MaxObjects)
	return &methods.RetrievePropertiesExBody{Res: &types.RetrievePropertiesExResponse{Returnval: result}}
}

type rest struct {
	list []types.ObjectContent
	max  int32
}

func (pc *PropertyCollector) page(ctx *simulator.Context, list []types.ObjectContent, max int32) *types.RetrieveResult {
	if len(list) == 0 {
		return nil
	}
	count := atMost(len(list), max)
	result := &types.RetrieveResult{Objects: list[:count]}
	if count < len(list) && ctx.Session != nil {
		result.Token = uuid.New().String()
		pc.mu.Lock()
		if pc.rests == nil {
			pc.rests = map[string]rest{}
		}
		pc.rests[result.Token] = rest{list[count:], max}
		pc.mu.Unlock()
	}
	return result
}

// atMost is how many of a number of objects go into one answer.
func atMost(count int, asked int32) int {
	if asked > 0 && count > int(asked) {
		count = int(asked)
	}
	if opt.page > 0 && count > opt.page {
		count = opt.page
	}
	return count
}

func (pc *PropertyCollector) takeRest(token string) (rest, bool) {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	r, ok := pc.rests[token]
	delete(pc.rests, token)
	return r, ok
}

// ContinueRetrievePropertiesEx gives the next page for a token.
func (pc *PropertyCollector) ContinueRetrievePropertiesEx(ctx *simulator.Context, req *types.ContinueRetrievePropertiesEx) soap.HasFault {
	r, ok := pc.takeRest(req.Token)
	if !ok {
		return &methods.ContinueRetrievePropertiesExBody{Fault_: invalidArgument("token")}
	}
	return &methods.ContinueRetrievePropertiesExBody{Res: &types.ContinueRetrievePropertiesExResponse{Returnval: *pc.page(ctx, r.list, r.max)}}
}

// CancelRetrievePropertiesEx gives up the rest behind a token.
func (pc *PropertyCollector) CancelRetrievePropertiesEx(req *types.CancelRetrievePropertiesEx) soap.HasFault {
	if _, ok := pc.takeRest(req.Token); !ok {
		return &methods.CancelRetrievePropertiesExBody{Fault_: invalidArgument("token")}
	}
	return &methods.CancelRetrievePropertiesExBody{Res: new(types.CancelRetrievePropertiesExResponse)}
}

// RetrieveProperties is the old form without pages.
func (pc *PropertyCollector) RetrieveProperties(ctx *simulator.Context, req *types.RetrieveProperties) soap.HasFault {
	list, fault := retrieve(ctx, req.SpecSet)
	if fault != nil {
		return &methods.RetrievePropertiesBody{Fault_: fault}
	}
	return &methods.RetrievePropertiesBody{Res: &types.RetrievePropertiesResponse{Returnval: list}}
}
