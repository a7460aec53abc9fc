// Reading an object's properties by path.
package main

import (
	"errors"
	"path"
	"reflect"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

var errNoProperty = errors.New("no such property")

// object finds what a reference leads to for a session: the struct of the library's package mo.
func object(ctx *simulator.Context, of ref) (reflect.Value, bool) {
	locale := ""
	if ctx.Session != nil {
		locale = ctx.Session.Locale
	}
	switch of.Type {
	case "Task":
		info, ok := tasks.resolve(of.Value)
		if !ok {
			return reflect.Value{}, false
		}
		found := mo.Task{Info: *localised(info, locale)}
		found.Self = of
		return reflect.ValueOf(found), true
	case "TaskManager":
		return reflect.ValueOf(mo.TaskManager{Self: of, RecentTask: tasks.recent(), Description: description(locale), MaxCollector: maxCollectors}), true
	}
	found := simulator.Map.Get(of)
	if ctx.Session != nil {
		found = ctx.Session.Get(of)
	} else if of.Type == "SessionManager" { // signed out: neither sessions nor messages are shown
		found = &mo.SessionManager{Self: of}
	}
	if found == nil {
		return reflect.Value{}, false
	}
	switch o := found.(type) {
	case interface{ current(string) mo.Reference }:
		found = o.current(locale)
	case interface{ Get() mo.Reference }:
		found = o.Get()
	}
	value := reflect.ValueOf(found).Elem()
	for path.Base(value.Type().PkgPath()) != "mo" {
		value = reflect.Indirect(value.Field(0))
	}
	return value, true
}

func isUnset(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Ptr, reflect.Interface:
		return value.IsNil()
	case reflect.String:
		return value.Len() == 0
	}
	return false
}

// wrapped turns slices into the ArrayOf types that a property's value has on the wire.
func wrapped(value reflect.Value) interface{} {
	value = reflect.Indirect(value)
	if value.Kind() == reflect.Interface {
		value = value.Elem()
	}
	if value.Kind() != reflect.Slice {
		return value.Interface()
	}
	name := value.Type().Elem().Name()
	if plain, ok := map[string]string{"string": "String", "uint8": "Byte", "int16": "Short", "int32": "Int", "int64": "Long"}[name]; ok {
		name = plain
	}
	name = strings.TrimPrefix(name, "Base")
	kind, ok := typeByName("ArrayOf" + name)
	if !ok {
		return value.Interface()
	}
	array := reflect.New(kind)
	array.Elem().FieldByName(name).Set(value)
	return array.Interface()
}

func upperFirst(name string) string {
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// property reads one path: nil when a part of it is unset.
func property(value reflect.Value, path string) (interface{}, error) {
	for _, name := range strings.Split(path, ".") {
		for value.Kind() == reflect.Interface || value.Kind() == reflect.Ptr {
			value = value.Elem()
		}
		if value.Kind() != reflect.Struct {
			return nil, errNoProperty
		}
		value = value.FieldByName(upperFirst(name))
		if !value.IsValid() {
			return nil, errNoProperty
		}
		if isUnset(value) {
			return nil, nil
		}
	}
	return wrapped(value), nil
}

// content is what a property collector shows of an object.
type content struct {
	props   []types.DynamicProperty
	missing []types.MissingProperty
}

// contentOf reads what the specs ask of an object: not found, or found but of a type that nobody asks for.
func contentOf(ctx *simulator.Context, of ref, specs []types.PropertySpec) (found, asked bool, c content) {
	read := func() {
		var value reflect.Value
		if value, found = object(ctx, of); !found {
			return
		}
		seen := map[string]bool{}
		for _, spec := range specs {
			if spec.Type != of.Type && spec.Type != value.Type().Name() {
				base, ok := value.Type().FieldByName(spec.Type)
				if !ok || !base.Anonymous {
					continue
				}
			}
			asked = true
			paths := spec.PathSet
			if spec.All != nil && *spec.All {
				paths = append(all(value), paths...)
			}
			for _, path := range paths {
				if !seen[path] {
					seen[path] = true
					c.add(ctx, of, value, path)
				}
			}
		}
	}
	if of.Type == "Task" || of.Type == "TaskManager" || of.Type == "TaskHistoryCollector" {
		read()
	} else {
		ctx.WithLock(of, read)
	}
	return
}

func (c *content) add(ctx *simulator.Context, of ref, value reflect.Value, path string) {
	got, err := property(value, path)
	var fault types.BaseMethodFault
	switch {
	case err != nil:
		fault = &types.InvalidProperty{Name: path}
	case ctx.Session == nil:
		fault = notAuthenticated(of, "System.Read")
	default:
		c.props = append(c.props, types.DynamicProperty{Name: path, Val: got})
		return
	}
	c.missing = append(c.missing, types.MissingProperty{Path: path, Fault: types.LocalizedMethodFault{Fault: fault}})
}

// all lists the properties of an object, those of what it embeds first.
func all(value reflect.Value) []string {
	var names []string
	kind := value.Type()
	for i := 0; i < kind.NumField(); i++ {
		field := kind.Field(i)
		switch {
		case field.Anonymous:
			names = append(names, all(value.Field(i))...)
		case field.Name != "Self":
			names = append(names, strings.ToLower(field.Name[:1])+field.Name[1:])
		}
	}
	return names
}
