// Fetch, by which the clients in Python and ovftool read one property. It is not in the published API, so the library
// keeps its types to itself: the request is read by its fields' names.
package main

import (
	"reflect"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// FetchResponse names the element of the answer.
type FetchResponse struct {
	Returnval types.AnyType `xml:"returnval,omitempty,typeattr"`
}

type fetchBody struct {
	Res   *FetchResponse
	fault *soap.Fault
}

func (b *fetchBody) Fault() *soap.Fault { return b.fault }

// Fetch reads one property.
func (pc *PropertyCollector) Fetch(ctx *simulator.Context, req interface{}) soap.HasFault {
	fields := reflect.ValueOf(req).Elem()
	of := fields.FieldByName("This").Interface().(ref)
	path := fields.FieldByName("Prop").String()
	found, _, c := contentOf(ctx, of, []types.PropertySpec{{Type: of.Type, PathSet: []string{path}}})
	switch {
	case !found:
		return &fetchBody{fault: simulator.Fault(notFoundText, notFound(of))}
	case len(c.missing) > 0:
		return &fetchBody{fault: simulator.Fault("", c.missing[0].Fault.Fault.(types.BaseMethodFault))}
	}
	return &fetchBody{Res: &FetchResponse{Returnval: c.props[0].Val}}
}
